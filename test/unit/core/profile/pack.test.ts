import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDistinct, beginDistinct } from '../../../../src/core/profile/distinct.ts';
import { hashText, hexDigits, packLetters } from '../../../../src/core/profile/pack.ts';
import { selectRank } from '../../../../src/core/profile/select-rank.ts';

describe('packLetters', () => {
  test('gives each code a number of its own that fits its field', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const countries = letters.flatMap((a) => letters.map((b) => a + b));
    expect(new Set(countries.map(packLetters)).size).toBe(26 * 26);
    expect(Math.max(...countries.map(packLetters))).toBeLessThan(2 ** 10);
    expect(packLetters('ZZZ')).toBeLessThan(2 ** 15);
    expect(packLetters('ZZ-ZZ')).toBeLessThan(2 ** 20);
    expect(packLetters('US-EG')).not.toBe(packLetters('EG-US'));
    expect(packLetters(null)).toBe(0);
  });
});

describe('hashText', () => {
  test('is stable, never the number of absence, and spreads', () => {
    expect(hashText(null)).toBe(0);
    expect(hashText('acc_17')).toBe(hashText('acc_17'));
    const hashes = Array.from({ length: 20_000 }, (_, index) => hashText(`acc_${index}`));
    expect(new Set(hashes).size).toBeGreaterThan(19_998);
    expect(hashes.every((hash) => Number.isInteger(hash) && hash > 0 && hash < 2 ** 32)).toBe(true);
  });
});

describe('hexDigits', () => {
  test('reads the last bytes of a UUID', () => {
    const uuid = '019ab0e7-7c00-7abc-8def-0123456789ab';
    expect(hexDigits(uuid, 14, 18)).toBe(0x7abc);
    expect(hexDigits(uuid, 19, 28)).toBe(0x8def0123);
    expect(hexDigits(uuid, 28, 36)).toBe(0x456789ab);
  });
});

describe('selectRank', () => {
  test('finds what sorting finds, and leaves nothing less behind it', () => {
    const amount = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.double({ min: 1, noNaN: true }));
    fc.assert(
      fc.property(fc.array(amount, { minLength: 1 }), fc.nat(), fc.nat(), (amounts, one, other) => {
        const sorted = amounts.toSorted((a, b) => a - b);
        const ranks = [one, other].map((which) => which % amounts.length).sort((a, b) => a - b);
        const values = Float64Array.from(amounts);
        const [low = 0, high = 0] = ranks;
        const found = [
          selectRank(values, 0, amounts.length - 1, low),
          selectRank(values, low, amounts.length - 1, high),
        ];
        expect(found).toEqual(ranks.map((rank) => sorted[rank]));
      }),
    );
  });
});

describe('addDistinct', () => {
  test('counts like a set, again and again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 256 }),
        (hashes) => {
          beginDistinct();
          const seen = new Set<number>();
          for (const hash of [...hashes, ...hashes]) {
            expect(addDistinct(hash)).toBe(seen.add(hash).size);
          }
        },
      ),
    );
  });
});
