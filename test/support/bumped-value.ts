/** What lua/bump-profiles-n.lua leaves behind, for stand-ins of Redis: a header alone that nobody has seen, of no format. */
import { PROFILE_HEADER_BYTES } from '../../src/profile/profile.ts';

/** @param random 0..1, never the same twice */
export function bumpedValue(random: () => number): Buffer {
  const value = Buffer.alloc(PROFILE_HEADER_BYTES);
  for (let at = 0; at < PROFILE_HEADER_BYTES - 1; at++) value[at] = random() * 256;
  return value;
}
