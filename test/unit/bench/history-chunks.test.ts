/** Goal: a table that is filled with numbered and with own rows has each of them once, and nearly in order of time. */
import { expect, test } from 'vitest';
import { historyChunks } from '../../../bench/support/history-chunks.ts';
import { simulate } from '../../../src/tools/simulate/simulate.ts';

const DAY_MS = 86_400_000;
const END_MS = Date.UTC(2026, 10, 20);

function own(transactions: number, days: number) {
  const sizes = { transactions, accounts: 500, merchants: 100, days, endMs: END_MS };
  return [...simulate({ ...sizes, seed: 'chunks', fraudRate: 0.01 })];
}

test.each([
  ['more numbered rows than own ones', 600_000, 10_000, 30],
  ['more own rows than a statement takes', 60_000, 120_000, 10],
  ['numbered rows alone', 260_000, 0, 1],
  ['own rows alone', 0, 60_000, 1],
])('historyChunks() has each row once: %s', (_, rows, ownRows, days) => {
  const spacingMs = (100 * DAY_MS) / Math.max(1, rows);
  const fromMs = END_MS - 100 * DAY_MS;
  const given = own(ownRows, days);
  let [next, before, untilMs] = [0, 0, fromMs];
  for (const chunk of historyChunks({ rows, fromMs, spacingMs }, given)) {
    expect(chunk.from).toBe(next);
    expect(chunk.ownBefore).toBe(before);
    expect(chunk.own[0]).toBe(chunk.own.length === 0 ? undefined : given[before]);
    expect(chunk.own.at(-1)).toBe(
      chunk.own.length === 0 ? undefined : given[before + chunk.own.length - 1],
    );
    const times = [
      ...(chunk.to > chunk.from ? [chunk.from, chunk.to - 1] : []).map(
        (n) => fromMs + n * spacingMs,
      ),
      ...chunk.own.map(({ createdAtMs }) => createdAtMs),
    ];
    expect(Math.min(...times.slice(0, 3))).toBeGreaterThan(untilMs - spacingMs - 1);
    untilMs = Math.max(untilMs, ...times.slice(0, 2), times.at(-1) ?? 0);
    next = chunk.to;
    before += chunk.own.length;
  }
  expect([next, before]).toEqual([rows, ownRows]);
});
