/** Stamps for blocks of logs: 64 random bits each. */
import { randomFillSync } from 'node:crypto';
import type { Stamp } from '../../profile/profile-log.ts';

/** Drawn at once: a call takes as long for one as for hundreds. */
const DRAWN = 512;

export function createStamps(): () => Stamp {
  const drawn = new Uint32Array(2 * DRAWN);
  let next = drawn.length;
  return () => {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    return { high: drawn[next++] ?? 0, low: drawn[next++] ?? 0 };
  };
}
