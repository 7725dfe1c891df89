import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDistinct, beginDistinct } from '../../../../src/core/profile/arithmetic.ts';

test('each count is that of a Set, round after round, of hashes that share low bits too', () => {
  const colliding = fc.tuple(fc.constantFrom(1, 2, 1022, 1023), fc.nat(40));
  const hash = fc.oneof(
    colliding.map(([low, high]) => high * 1024 + low),
    fc.integer({ min: 1, max: 0xffffffff }),
  );
  const hashes = fc.array(hash, { maxLength: 500, size: 'max' });
  fc.assert(
    fc.property(fc.array(hashes, { maxLength: 5 }), (rounds) => {
      for (const round of rounds) {
        const seen = new Set<number>();
        beginDistinct();
        for (const added of round) expect(addDistinct(added)).toBe(seen.add(added).size);
      }
    }),
  );
});
