/** A unit ends whatever its steps throw. Steps are plain functions; nothing else is faked. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { NOTHING_LEFT } from '../../../../src/core/work/build-settlements.ts';
import { createRunUnit } from '../../../../src/core/work/isolate-failures.ts';
import { decide, type HeldEntry, type Item } from '../../../../src/core/work/item.ts';
import { createPause } from '../../../../src/core/work/pause.ts';
import type { BatchSteps } from '../../../../src/core/work/process-batch.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { MonthDetached, monthOf } from '../../../../src/kit/words/month.ts';
import { silentLog } from '../../../support/config.ts';
import { entryOf, itemsAt, stream } from './held-entries.ts';

const down = new Failure('unavailable', 'POSTGRES_UNAVAILABLE', 'down');
const MADE_MS = Date.UTC(2026, 10);
const DETACHED_MS = Date.UTC(2013, 2);
const refused = new Failure('permanent', 'POSTGRES_23514', 'refused');

/** Entries with this many transactions. */
function unit(entries: number, transactions = 1): HeldEntry[] {
  return Array.from({ length: entries }, (_, n) => ({
    ...{ stream, consumer: 'c-1', entry: entryOf(`${n}-0`, transactions) },
  }));
}

const nameOf = (item: Item | null) => item?.transaction.accountId ?? '';

type Calls = {
  /** Throws the error of scoring these. */
  readonly score?: (transactionIds: string[]) => void;
  /** Throws the error of ending these entries. */
  readonly conclude?: (entryIds: string[]) => void;
  /** When the transactions of an entry were created. */
  readonly atMs?: (entryId: string) => number | undefined;
};

function rig({ score, conclude, atMs }: Calls) {
  const stop = new AbortController();
  const seen = {
    ...{ scored: [] as string[], failed: [] as string[], released: [] as string[] },
    concluded: [] as string[][],
  };
  const idsOf = (all: readonly HeldEntry[]) => [...new Set(all.map(({ entry }) => entry.id))];
  const steps: BatchSteps = {
    read: (held) => ({
      items: held.flatMap((one) => itemsAt(one, atMs?.(one.entry.id) ?? MADE_MS)),
      decided: [],
      unread: [],
    }),
    handOver: async () => undefined,
    async score(items) {
      score?.(items.map(nameOf));
      seen.scored.push(...items.map(nameOf));
      return items.map((item) => decide(item, { kind: 'acknowledge', published: null }));
    },
    fail(item: Item, failure) {
      seen.failed.push(`${nameOf(item)} ${failure.code}`);
      return decide(item, { kind: 'dead-letter', failure });
    },
    async conclude(decided) {
      conclude?.(idsOf(decided.map(({ held }) => held)));
      seen.concluded.push(decided.map(({ item }) => nameOf(item)));
      return NOTHING_LEFT;
    },
    async release(held) {
      seen.released.push(...idsOf(held));
    },
    divide: async () => undefined,
  };
  const log = silentLog();
  const { signal } = stop;
  const pause = createPause(signal, createMetrics(), log, () => 0);
  const run = createRunUnit(steps, pause, signal, log, () => undefined);
  return { run, seen, stop, pause };
}

describe('runUnit', () => {
  test('bisects to the transaction that is to blame, spares the others, and settles once', async () => {
    const { run, seen } = rig({
      score(ids) {
        if (ids.includes('1-0/41')) throw new Failure('permanent', 'POSTGRES_22021', 'bad text');
      },
    });
    await run(unit(3, 100));
    expect(seen.failed).toEqual(['1-0/41 POSTGRES_22021']);
    expect(new Set(seen.scored).size).toBe(299);
    expect(seen.scored).toHaveLength(299);
    expect(seen.concluded.map((ids) => ids.length)).toEqual([300]);
  });

  test('gives up what is of a detached month at once, and scores the others', async () => {
    const tries: number[] = [];
    const gone = new Set(['0-0', '2-0', '5-0']);
    const { run, seen } = rig({
      score(ids) {
        tries.push(ids.length);
        const isGone = ids.some((id) => gone.has(id.split('/', 1).join('')));
        if (isGone) throw new MonthDetached(new Set([monthOf(DETACHED_MS)]));
      },
      atMs: (id) => (gone.has(id) ? DETACHED_MS : undefined),
    });
    await run(unit(8));
    expect(seen.failed).toEqual([...gone].map((id) => `${id}/0 MONTH_DETACHED`));
    expect(seen.scored).toHaveLength(5);
    // No bisection: a backlog of such a month would take hours.
    expect(tries).toEqual([8, 5]);
  });

  test('holds a bug against the transaction that meets it', async () => {
    const { run, seen } = rig({
      score(ids) {
        if (ids.includes('2-0/0')) throw new TypeError('undefined is not a function');
      },
    });
    await run(unit(4));
    expect(seen.failed).toEqual(['2-0/0 PROCESSING_FAILED']);
    expect(seen.scored).toHaveLength(3);
  });

  test('tries again while a dependency is down, and says so to the readers', async () => {
    let tries = 0;
    const { run, seen, pause } = rig({
      score() {
        tries += 1;
        if (tries < 4) throw down;
      },
      conclude() {
        tries += 1;
        if (tries < 6) throw down;
      },
    });
    await run(unit(3));
    expect(tries).toBe(6);
    expect(seen.failed).toEqual([]);
    await pause.over();
  });

  test('leaves an entry pending that cannot be ended, lets the readers go on, and ends the others', async () => {
    let tries = 0;
    const { run, pause, seen } = rig({
      conclude(ids) {
        tries += 1;
        if (tries === 1) throw down;
        if (ids.includes('1-0')) throw refused;
      },
    });
    await run(unit(3, 2));
    expect(seen.concluded.flat()).toEqual(['0-0/0', '0-0/1', '2-0/0', '2-0/1']);
    const stillPaused = nextTurn().then(() => 'paused');
    expect(await Promise.race([pause.over(), stillPaused])).toBeUndefined();
  });

  test.each(['score', 'conclude'] as const)(
    'gives entries back when the worker stops while a dependency of %s is down',
    async (step) => {
      const { run, seen, stop } = rig({
        [step]() {
          stop.abort();
          throw down;
        },
      });
      await run(unit(3));
      expect(seen.released).toEqual(['0-0', '1-0', '2-0']);
      expect(seen.concluded).toEqual([]);
    },
  );
});
