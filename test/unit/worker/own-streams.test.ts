/** Goal: every stream has exactly one owner, and nobody has more than his share, whoever asks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { streamKeys } from '../../../src/stream/keys.ts';
import { ownStreams } from '../../../src/worker/own-streams.ts';

test('streams are dealt out evenly, each once, whatever the order of what is known', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(names, fc.integer({ min: 0, max: 40 }), (workers, count) => {
      const streams = Array.from({ length: count }, (_, n) => streamKeys('m', 'US-EG', n));
      const shares = workers.map((name, index) => {
        const seen = index % 2 === 0 ? workers : workers.toReversed();
        return ownStreams(index % 2 === 0 ? streams : streams.toReversed(), seen, name);
      });
      const all = shares.flatMap((share) => [...share]);
      expect(all.sort()).toEqual(streams.map(({ transactions }) => transactions).sort());
      const sizes = shares.map(({ size }) => size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test('who is not on the list yet counts himself in', () => {
  const streams = [streamKeys('m', 'US-EG', 0), streamKeys('m', 'US-EG', 1)];
  expect(ownStreams(streams, ['a'], 'b').size).toBe(1);
  expect(ownStreams(streams, [], 'b').size).toBe(2);
});
