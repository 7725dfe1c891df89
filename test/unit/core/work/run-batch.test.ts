/** A batch ends whatever its steps throw. The steps are plain functions; nothing else is replaced. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { StreamEntry } from '../../../../src/core/stream/group/read-group.ts';
import { type Decided, decide, type EntryTransaction } from '../../../../src/core/work/decided.ts';
import { createPause } from '../../../../src/core/work/intake.ts';
import { runBatch } from '../../../../src/core/work/run-batch.ts';
import type { Worker } from '../../../../src/core/work/worker.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { MonthDetached, monthOf } from '../../../../src/kit/words/month.ts';
import { silentLog } from '../../../support/config.ts';
import { entryOf, transactionsOf } from './delivered-entries.ts';

type Steps = {
  readEntries: (entries: readonly StreamEntry[]) => EntryTransaction[];
  scoreBatch: (transactions: readonly EntryTransaction[]) => Promise<Decided[]>;
  endEntries: (decided: readonly Decided[]) => Promise<ReadonlySet<string>>;
  releaseEntries: (entries: readonly StreamEntry[]) => Promise<void>;
};
const steps = vi.hoisted(() => ({}) as Steps);
vi.mock('../../../../src/core/work/decided.ts', async (original) => ({
  ...(await original<object>()),
  readEntries: (_: unknown, entries: readonly StreamEntry[]) => ({
    ...{ transactions: steps.readEntries(entries), decided: [] },
  }),
}));
vi.mock('../../../../src/core/work/score-batch.ts', () => ({
  scoreBatch: (_: unknown, transactions: readonly EntryTransaction[]) =>
    steps.scoreBatch(transactions),
}));
vi.mock('../../../../src/core/work/end-batch.ts', () => ({
  ALL_SETTLED: new Set(),
  endEntries: (_: unknown, decided: readonly Decided[]) => steps.endEntries(decided),
  releaseEntries: (_: unknown, entries: readonly StreamEntry[]) => steps.releaseEntries(entries),
}));

const down = new Failure('unavailable', 'POSTGRES_UNAVAILABLE', 'down');
const MADE_MS = Date.UTC(2026, 10);
const DETACHED_MS = Date.UTC(2013, 2);
const refused = new Failure('permanent', 'POSTGRES_23514', 'refused');

/** Entries with this many transactions. */
function batch(entries: number, transactions = 1): StreamEntry[] {
  return Array.from({ length: entries }, (_, n) => entryOf(`${n}-0`, transactions));
}

const nameOf = (one: EntryTransaction | null) => one?.transaction.accountId ?? '';

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
  const idsOf = (all: readonly StreamEntry[]) => [...new Set(all.map(({ id }) => id))];
  const own: Steps = {
    readEntries: (entries) =>
      entries.flatMap((one) => transactionsOf(one, atMs?.(one.id) ?? MADE_MS)),
    async scoreBatch(transactions) {
      score?.(transactions.map(nameOf));
      seen.scored.push(...transactions.map(nameOf));
      return transactions.map((one) => decide(one, { kind: 'acknowledge', published: null }));
    },
    async endEntries(decided) {
      conclude?.(idsOf(decided.map(({ entry }) => entry)));
      for (const { from, outcome } of decided) {
        if (outcome.kind !== 'acknowledge') {
          seen.failed.push(`${nameOf(from)} ${outcome.failure.code}`);
        }
      }
      seen.concluded.push(decided.map(({ from }) => nameOf(from)));
      return new Set();
    },
    async releaseEntries(entries) {
      seen.released.push(...idsOf(entries));
    },
  };
  Object.assign(steps, own);
  const log = silentLog();
  const pause = createPause(stop.signal, { metrics: createMetrics(), log, random: () => 0 });
  const config = { RISK_RETRY_BASE_MS: 0 };
  const onSignOfLife = () => undefined;
  const worker = { pause, stop, log, config, onSignOfLife, random: () => 0 } as unknown as Worker;
  let ends = 0;
  const run = async (entries: readonly StreamEntry[]) => {
    await runBatch(worker, { entries, end: () => ends++ });
    expect(ends).toBe(1);
  };
  return { run, seen, stop, pause };
}

test('runBatch bisects to the transaction that is to blame, spares the others, and settles once', async () => {
  const { run, seen } = rig({
    score(ids) {
      if (ids.includes('1-0/41')) throw new Failure('permanent', 'POSTGRES_22021', 'bad text');
    },
  });
  await run(batch(3, 100));
  expect(seen.failed).toEqual(['1-0/41 POSTGRES_22021']);
  expect(new Set(seen.scored).size).toBe(299);
  expect(seen.scored).toHaveLength(299);
  expect(seen.concluded.map((ids) => ids.length)).toEqual([300]);
});

test('runBatch gives up transactions of a detached month at once, and scores the others', async () => {
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
  await run(batch(8));
  expect(seen.failed).toEqual([...gone].map((id) => `${id}/0 MONTH_DETACHED`));
  expect(seen.scored).toHaveLength(5);
  // No bisection: a backlog of such a month would take hours.
  expect(tries).toEqual([8, 5]);
});

test('runBatch leaves an entry pending that cannot be ended, lets the readers go on, and ends the others', async () => {
  let tries = 0;
  const { run, pause, seen } = rig({
    conclude(ids) {
      tries += 1;
      if (tries === 1) throw down;
      if (ids.includes('1-0')) throw refused;
    },
  });
  await run(batch(3, 2));
  expect(seen.concluded.flat()).toEqual(['0-0/0', '0-0/1', '2-0/0', '2-0/1']);
  const stillPaused = nextTurn().then(() => 'paused');
  expect(await Promise.race([pause.over(), stillPaused])).toBeUndefined();
});
