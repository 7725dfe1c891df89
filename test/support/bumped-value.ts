/** What lua/bump-profiles-n.lua leaves behind, for stand-ins of Redis: the next version's header alone, of no format. */
import { headerOf, headerVersion, PROFILE_HEADER_BYTES } from '../../src/profile/profile.ts';

export function bumpedValue(stored: Uint8Array | null): Buffer {
  const value = Buffer.alloc(PROFILE_HEADER_BYTES);
  value.writeUInt32LE((headerVersion(headerOf(stored)) + 1) >>> 0 || 1, 0);
  return value;
}
