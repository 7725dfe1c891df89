/** Goal: metadata have a bound in bytes as they are stored. Method: random JSON against what JavaScript writes of the same JSON. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { metadataProblem } from '../../../../src/core/domain/metadata.ts';

const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e21, 1e-6, 999_999_999_999_999_900_000, 9.99e-7, 5e-324, -1e308),
);
const texts = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\u0001', 'é', '€', '😀') });

/** Bytes as jsonb takes them, which writes a number with an exponent out in full. */
function bytesOf(value: unknown): number {
  const text = JSON.stringify(value);
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return Buffer.byteLength(text) + 330 * (bare.match(/e[+-]/g)?.length ?? 0);
}

test('metadata of any form may have the bytes that are allowed, and not a byte more', () => {
  const leaves = fc.oneof(numbers, texts, fc.boolean(), fc.constant(null));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(texts, tie('node'), { maxKeys: 5 }),
    node: fc.oneof({ depthSize: 'small' }, leaves, tie('tree'), fc.array(tie('node'))),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const bytes = bytesOf(value);
      expect(metadataProblem(value, bytes)).toBeUndefined();
      expect(metadataProblem(value, bytes - 1)).toBe(
        `must have at most ${bytes - 1} bytes of JSON, not ${bytes}`,
      );
    }),
    { numRuns: 500 },
  );
});
