/** Laws of the simulator under any options: counts are exact, rows are in order and valid input. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { transactionInputSchema } from '../../src/core/domain/transaction.ts';
import { simulate, transactionLine } from '../../src/tools/simulate/simulate.ts';
import { runsOf } from '../support/thorough.ts';

const DAY_MS = 86_400_000;

const options = fc.record({
  transactions: fc.integer({ min: 1, max: 600 }),
  accounts: fc.integer({ min: 1, max: 5_000 }),
  merchants: fc.integer({ min: 16, max: 2_000 }),
  days: fc.integer({ min: 1, max: 60 }),
  endMs: fc.integer({ min: Date.UTC(2001, 0), max: Date.UTC(2030, 0) }),
  seed: fc.string({ maxLength: 12 }),
  fraudRate: fc.double({ min: 0, max: 0.5, noNaN: true }),
});

test('simulate gives exactly the rows and frauds asked for, in time order within the period', () => {
  fc.assert(
    fc.property(options, (given) => {
      const rows = [...simulate(given)];
      expect(rows).toHaveLength(given.transactions);
      expect(rows.filter((row) => row.scenario !== 'none')).toHaveLength(
        Math.round(given.transactions * given.fraudRate),
      );
      expect(new Set(rows.map((row) => row.idempotencyKey)).size).toBe(rows.length);
      let beforeMs = given.endMs - given.days * DAY_MS;
      for (const { createdAtMs, labelledAtMs } of rows) {
        expect(createdAtMs).toBeGreaterThanOrEqual(beforeMs);
        expect(labelledAtMs).toBeGreaterThan(createdAtMs);
        beforeMs = createdAtMs;
      }
      expect(beforeMs).toBeLessThan(given.endMs);
    }),
    { numRuns: runsOf(60) },
  );
});

test('simulate writes rows that the API accepts', () => {
  fc.assert(
    fc.property(options, (given) => {
      for (const row of simulate({ ...given, transactions: Math.min(given.transactions, 100) })) {
        const parsed = transactionInputSchema.safeParse(JSON.parse(transactionLine(row)));
        expect(parsed.error?.issues ?? []).toEqual([]);
      }
    }),
    { numRuns: runsOf(40) },
  );
});
