/** Goal: a case has the priority and deadline of M8. Method: drawn cases against a plain rule. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDecimals } from '../../../../src/core/domain/currency.ts';
import { prioritise } from '../../../../src/rooms/review/change/raise-cases.ts';
import { CASE_SOURCES, reviewPolicySchema } from '../../../../src/rooms/review/policy.ts';
import { isSpotCheck } from '../../../../src/rooms/review/store/reviewed.ts';
import { FIRST_POLICY } from '../../../support/rooms/review/policy.ts';
import { idAt } from '../../../support/stored-rows.ts';

const HOUR_MS = 3_600_000;
const NOW = '2026-11-20T00:00:00.000Z';

const policy = FIRST_POLICY;
const hoursTo = (due: string) => (Date.parse(due) - Date.parse(NOW)) / HOUR_MS;

test('the priorities of drawn cases are those of a plain rule', () => {
  const cents = fc.option(fc.integer({ min: 1, max: 300_000 }));
  const codes = ['NEW_DEVICE', 'NEW_COUNTRY', 'VELOCITY_COUNT_1H'];
  fc.assert(
    fc.property(
      fc.constantFrom(...CASE_SOURCES),
      cents,
      fc.option(fc.integer({ min: 0, max: 1000 })),
      fc.subarray(codes),
      (source, amount, score, reasons) => {
        const market_amount = amount === null ? null : (amount / 100).toFixed(2);
        const { priority, due_at } = prioritise(
          { source, market_amount, score, reasons },
          policy,
          NOW,
        );
        const isNew = reasons.some((code) => code.startsWith('NEW_'));
        const bySource = { dispute: 0, spot_check: 5, verdict: undefined, manual: undefined }[
          source
        ];
        const isHigh = amount === null || amount > 100_000;
        const byContent = isHigh ? 1 : (score ?? 0) >= 700 ? 2 : isNew ? 3 : 4;
        expect(priority).toBe(bySource ?? byContent);
        expect(hoursTo(due_at)).toBe([2, 4, 4, 8, 24, 48][priority]);
      },
    ),
  );
});

describe('a policy', () => {
  const refused = (some: object) =>
    reviewPolicySchema
      .safeParse({ ...policy, ...some })
      .error?.issues.map(({ message }) => message);

  test('ends with a priority that takes every case', () => {
    expect(refused({ priorities: policy.priorities.slice(0, -1) })).toEqual([
      'must end with a priority without conditions, which takes every other case',
    ]);
  });
  test('raises no case of the labels that reviews make', () => {
    expect(refused({ dispute_sources: ['bank', 'review'] })).toHaveLength(1);
  });
});

test('decimals compare as numbers of any length', () => {
  const decimal = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(999));
  fc.assert(
    fc.property(decimal, decimal, ([whole, part], [otherWhole, otherPart]) => {
      const one = `${whole}.${String(part).padStart(3, '0')}`;
      const other = `${otherWhole}.${String(otherPart).padStart(3, '0')}00`;
      const difference = (whole - otherWhole) * 1000n + BigInt(part - otherPart);
      expect(Math.sign(compareDecimals(one, other))).toBe(
        difference > 0n ? 1 : difference < 0n ? -1 : 0,
      );
    }),
  );
});

test('spot checks are drawn by id, as many as the ratio says, and more with a larger one', () => {
  const ids = Array.from({ length: 20_000 }, (_, index) => idAt(Date.parse(NOW) + index));
  const drawn = (ratio: number) => new Set(ids.filter((id) => isSpotCheck(id, ratio)));
  expect(drawn(0).size).toBe(0);
  expect(drawn(1).size).toBe(ids.length);
  const [few, many] = [drawn(0.01), drawn(0.1)];
  expect(few.size).toBeGreaterThan(120);
  expect(few.size).toBeLessThan(290);
  expect(few.isSubsetOf(many)).toBe(true);
});
