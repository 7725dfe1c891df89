import {
  type Profile,
  type ProfileLayout,
  profileBytes,
  writeProfile,
} from '../../src/core/profile/profile.ts';

/** A packed profile in a buffer of its own. */
export function encodeProfile<P extends Profile>(layout: ProfileLayout<P>, profile: P): Uint8Array {
  const view = new DataView(new ArrayBuffer(profileBytes(layout, profile)));
  writeProfile(layout, profile, view);
  return new Uint8Array(view.buffer);
}
