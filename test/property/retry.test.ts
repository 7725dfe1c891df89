/** Laws of the retry policy. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideRetry } from '../../src/core/work/decided.ts';
import { FAILURE_KINDS, Failure } from '../../src/kit/words/failure.ts';

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('decideRetry waits between half and all of base x 1, 2, 4, and gives up after the last attempt', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 1, max: 6 }),
      unit,
      (baseMs, attempt, random) => {
        const failure = new Failure('transient', 'X', 'x');
        const decision = decideRetry(baseMs, attempt, failure, random);
        if (attempt >= 4) {
          expect(decision).toEqual({ kind: 'dead-letter', failure });
          return;
        }
        if (decision.kind !== 'retry') throw new Error('gave up too early');
        expect(decision.afterMs).toBeGreaterThanOrEqual((baseMs * 2 ** (attempt - 1)) / 2);
        expect(decision.afterMs).toBeLessThanOrEqual(baseMs * 2 ** (attempt - 1));
      },
    ),
  );
});

test('decideRetry never retries what is not transient', () => {
  for (const kind of FAILURE_KINDS.filter((one) => one !== 'transient')) {
    const failure = new Failure(kind, 'X', 'x');
    expect(decideRetry(1, 1, failure, 0)).toEqual({ kind: 'dead-letter', failure });
  }
});
