/** An offset is committed once all before it are done, in whatever order entries end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doneUpTo, openClaim } from '../../../../../src/core/stream/kafka/claim.ts';

test('the offset to commit is the first that is not done, however entries end', () => {
  const order = fc.shuffledSubarray([...Array(20).keys()], { minLength: 0, maxLength: 20 });
  fc.assert(
    fc.property(order, (ended) => {
      const claim = openClaim({ topic: 't', partition: 0 }, { begin: 100n, endedAt: 110n });
      for (let offset = 100n; offset < 120n; offset++) claim.open.set(offset, 1);
      claim.position = 120n;
      for (const one of ended) claim.open.delete(BigInt(100 + one));
      const open = [...Array(20).keys()].filter((one) => !ended.includes(one));
      expect(doneUpTo(claim)).toBe(BigInt(100 + (open[0] ?? 20)));
    }),
  );
});
