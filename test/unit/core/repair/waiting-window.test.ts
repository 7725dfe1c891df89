/** The window of waiting ids in a recovery: exact, and bounded for any backlog. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createIdSet } from '../../../../src/core/repair/id-set.ts';
import { readWaitingWindow } from '../../../../src/core/repair/waiting-window.ts';
import { idAt } from '../../../support/stored-rows.ts';

describe('createIdSet', () => {
  test('holds what was added, each once, and nothing else', () => {
    const ids = createIdSet();
    const added = Array.from({ length: 20_000 }, (_, n) => (n % 2 ? randomUUID() : idAt(1e12, n)));
    for (const id of [...added, ...added]) ids.add(id);
    expect(ids.size()).toBe(20_000);
    expect(added.every(ids.has)).toBe(true);
    const others = Array.from({ length: 20_000 }, (_, n) => (n % 2 ? randomUUID() : idAt(1, n)));
    expect(others.some(ids.has)).toBe(false);
  });

  test('tells ids apart that differ in one digit', () => {
    const id = randomUUID();
    const ids = createIdSet();
    ids.add(id);
    for (const [at, digit] of [...id].entries()) {
      if (digit === '-') continue;
      const other = `${id.slice(0, at)}${digit === '0' ? '1' : '0'}${id.slice(at + 1)}`;
      expect(ids.has(other)).toBe(false);
    }
  });
});

describe('readWaitingWindow', () => {
  const PAGE = 50;
  const IDS_MAX = 100;

  /** Entries have no order of reception, two a millisecond; a few batches are open. */
  function setUp() {
    const waiting = Array.from({ length: 1000 }, (_, n) => ({
      transactionId: idAt(1000 + ((n * 7) % 500), n),
      receivedAtMs: 1000 + ((n * 7) % 500),
    }));
    const owed = {
      batchId: randomUUID(),
      receivedAt: new Date(1003),
      transactionIds: [idAt(2, 1)],
    };
    let read = 0;
    return {
      waiting,
      owed,
      read: () => read,
      dependencies: {
        listOpenBatches: async (_: Date, after: { receivedAt: Date }) =>
          after.receivedAt < owed.receivedAt ? [owed] : [],
        takeOver: async () => [owed],
        readWaiting: async function* () {
          for (let at = 0; at < waiting.length; at += PAGE) {
            read += PAGE;
            yield waiting.slice(at, at + PAGE);
          }
        },
      },
    };
  }

  test('walks over everything in windows that hold no more than the bound', async () => {
    const { waiting, owed, dependencies } = setUp();
    let atMs = 900;
    let windows = 0;
    while (atMs < 2000) {
      const window = await readWaitingWindow(dependencies, atMs, 2000, IDS_MAX);
      const inside = waiting
        .filter((one) => one.receivedAtMs >= atMs)
        .filter((one) => {
          return one.receivedAtMs < window.toMs;
        });
      expect(inside.length).toBeLessThanOrEqual(IDS_MAX);
      expect(inside.every((one) => window.has(one.transactionId))).toBe(true);
      if (atMs === 900) expect(window.has(owed.transactionIds[0] ?? '')).toBe(true);
      expect(window.toMs).toBeGreaterThan(atMs);
      atMs = window.toMs;
      windows += 1;
    }
    expect(windows).toBeGreaterThanOrEqual(10);
    expect(windows).toBeLessThan(40);
  });

  test('reads once when all of it fits', async () => {
    const { waiting, dependencies, read } = setUp();
    const window = await readWaitingWindow(dependencies, 0, 2000, 5000);
    expect([window.toMs, read()]).toEqual([2000, 1000]);
    expect(waiting.every((one) => window.has(one.transactionId))).toBe(true);
  });
});
