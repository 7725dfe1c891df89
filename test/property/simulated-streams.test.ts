/**
 * Goal: the simulation's streams behave as Redis and our scripts do, else what it shows of the worker is
 * worth nothing. Method: the same random commands on both; answers and what is left must be equal.
 * Entries are named by their values, as ids differ.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Claimed, createGroupDuties, ensureGroups } from '../../src/stream/consumer-group.ts';
import { readNew, readOwn, type StreamEntry } from '../../src/stream/read-group.ts';
import { createPromoteRetries } from '../../src/stream/retries.ts';
import { createSettle, type Settlement } from '../../src/stream/settle.ts';
import { createMemoryStreams } from '../simulation/memory-streams.ts';
import { createStreamRig, stream } from '../support/stream-rig.ts';

const rig = createStreamRig();
const name = stream.transactions;
const RUNS = 50;
const NO_WAIT_MS = 1;

const consumer = fc.constantFrom('a', 'b');
const count = fc.integer({ min: 1, max: 4 });
const which = fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 4 });
const OUTCOMES = ['acknowledge', 'retry', 'dead', 'release'] as const;
type Outcome = (typeof OUTCOMES)[number];

const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), count }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), consumer, count }) },
  fc.record({ kind: fc.constant('own' as const), consumer, count }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('claim' as const), consumer, count }),
  },
  fc.record({ kind: fc.constant('heartbeat' as const), consumer, which }),
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ kind: fc.constant('settle' as const), consumer, which },
      outcome: fc.constantFrom(...OUTCOMES),
    }),
  },
  fc.record({ kind: fc.constant('promote' as const) }),
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

/** One side of the comparison: Redis, or the stand-in. */
type Side = {
  readonly append: (value: string) => Promise<unknown>;
  readonly read: (consumer: string, count: number) => Promise<readonly StreamEntry[]>;
  readonly own: (consumer: string, count: number) => Promise<readonly StreamEntry[]>;
  readonly claim: (consumer: string, count: number, cursor: string) => Promise<Claimed>;
  readonly heartbeat: (consumer: string, ids: readonly string[]) => Promise<number>;
  readonly settle: (settlement: Settlement) => Promise<Set<string>>;
  readonly promote: () => Promise<number>;
  readonly left: () => Promise<{ entries: string[]; retries: string[]; pending: number }>;
};

async function createRedisSide(): Promise<Side> {
  const redis = rig.redis();
  await redis.flushall();
  await ensureGroups(redis, [name]);
  const duties = createGroupDuties(redis);
  const settle = createSettle({ redis, market: 'm', scoredEventsMax: 100 });
  const promote = createPromoteRetries(redis);
  const read = (own: string, entriesMax: number) => ({
    ...{ consumer: own, streams: [name], entriesMax, blockMs: NO_WAIT_MS },
  });
  return {
    append: (value) => redis.xadd(name, '*', 'v', '1', 'd', value),
    read: async (own, max) => (await readNew(redis, read(own, max)))[0]?.entries ?? [],
    own: async (own, max) => (await readOwn(redis, read(own, max), '0'))[0]?.entries ?? [],
    claim: (own, entriesMax, cursor) =>
      duties.claim({ stream: name, consumer: own, idleMs: 0, cursor, entriesMax }),
    heartbeat: (own, ids) => duties.heartbeat(name, own, ids),
    settle: async (settlement) => {
      const [gone] = await settle([settlement]);
      if (gone instanceof Set) return gone;
      throw gone;
    },
    promote: () => promote([stream]),
    left: async () => ({
      entries: (await redis.xrange(name, '-', '+')).map(([, fields]) => String(fields[3])),
      retries: (await redis.zrange(stream.retries, '0', '-1')).sort(),
      pending: await rig.pending(),
    }),
  };
}

function createMemorySide(): Side {
  const ignored = { delivered: () => undefined, ended: () => undefined, scored: () => undefined };
  const streams = createMemoryStreams(Date.now, ignored, { ownerCheck: true });
  streams.ensureGroup(name);
  const read = (own: string, entriesMax: number) => ({
    ...{ consumer: own, streams: [name], entriesMax, blockMs: 0 },
  });
  return {
    append: async (value) => streams.append(name, value),
    read: async (own, max) => streams.readNew(read(own, max))?.[0]?.entries ?? [],
    own: async (own, max) => streams.readOwn(read(own, max), '0')[0]?.entries ?? [],
    claim: async (own, entriesMax, cursor) =>
      streams.claim({ stream: name, consumer: own, idleMs: 0, cursor, entriesMax }),
    heartbeat: async (own, ids) => streams.heartbeat(name, own, ids),
    settle: async (settlement) => streams.settle(settlement),
    promote: async () => streams.promote(name),
    left: async () => ({
      entries: streams.entries(name),
      retries: streams.retries(name).sort(),
      pending: streams.pendingCount(),
    }),
  };
}

/** Runs the commands; what comes back names entries by their values. */
async function run(side: Side, commands: readonly Command[]): Promise<unknown[]> {
  const ids = new Map<string, string>();
  let appended = 0;
  let cursor = '-';
  const told = (entries: readonly StreamEntry[]) =>
    entries.map(({ id, packed, deliveries, deleted }) => {
      ids.set(packed ?? '', id);
      return { packed, deliveries, deleted };
    });
  /** Entries that were delivered at some time, held or not. */
  const pick = (places: readonly number[]) =>
    [...new Set(places.map((place) => [...ids][place % Math.max(1, ids.size)]))].filter(
      (one) => one !== undefined,
    );
  const step = async (one: Command): Promise<unknown> => {
    switch (one.kind) {
      case 'append':
        for (let n = 0; n < one.count; n++) await side.append(`value ${++appended}`);
        return null;
      case 'read':
        return told(await side.read(one.consumer, one.count));
      case 'own':
        return told(await side.own(one.consumer, one.count));
      case 'claim': {
        const claimed = await side.claim(one.consumer, one.count, cursor);
        cursor = claimed.cursor;
        return { isEnd: cursor === '-', entries: told(claimed.entries) };
      }
      case 'heartbeat':
        return await side.heartbeat(
          one.consumer,
          pick(one.which).map(([, id]) => id),
        );
      case 'settle': {
        const picked = pick(one.which);
        const gone = await side.settle(settlementOf(one.consumer, one.outcome, picked));
        return picked.map(([value, id]) => [value, gone.has(id)]);
      }
      case 'promote':
        return await side.promote();
    }
  };
  const answers: unknown[] = [];
  for (const one of commands) answers.push(await step(one));
  return [...answers, await side.left()];
}

/** Distinct waits, all over or none: their order does not hang on the clock. */
function settlementOf(
  own: string,
  outcome: Outcome,
  picked: readonly (readonly [string, string])[],
): Settlement {
  const event = { transactionId: 't', accountId: 'acc', score: 1, verdict: 'approve' };
  const only = <T>(
    wanted: Outcome,
    make: (value: string, entryId: string, at: number) => T,
  ): T[] => (outcome === wanted ? picked.map(([value, id], at) => make(value, id, at)) : []);
  return {
    ...{ stream, consumer: own, scoredAt: new Date(0).toISOString(), replies: [] },
    acknowledged: only('acknowledge', (_value, entryId) => ({ entryId, event })),
    retries: only('retry', (value, entryId, at) => ({
      ...{ entryId, packed: `${value}, again` },
      waitMs: value.length % 2 === 0 ? 600_000 : at * 1000 - 900_000 + value.length * 10_000,
    })),
    deadLetters: only('dead', (_value, entryId) => ({
      ...{ entryId, transactionId: 't', accountId: 'acc', attempts: 1 },
      ...{ error: 'X: x', failedAt: new Date(0).toISOString() },
    })),
    released: only('release', (value, entryId) => ({ entryId, packed: `${value}, given back` })),
  };
}

test('streams of the simulation answer as Redis does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 25 }), async (commands) => {
      const expected = await run(await createRedisSide(), commands);
      expect(await run(createMemorySide(), commands)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});
