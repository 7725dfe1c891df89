/**
 * Goal: the simulation's streams behave as Redis and our scripts do, otherwise its results prove nothing.
 * Method: the same random commands on both; answers and the final state must be equal. Entries are named by
 * their values, as ids differ.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENTRY_VERSION, type PackedEntry } from '../../src/core/stream/entries/entry.ts';
import {
  type Claimed,
  claimStale,
  ensureGroups,
  heartbeat,
} from '../../src/core/stream/group/consumer-group.ts';
import { type Read, readGroup, type StreamEntry } from '../../src/core/stream/group/read-group.ts';
import { loadScript, runScript } from '../../src/core/stream/scripts.ts';
import { promoteRetries } from '../../src/core/stream/settle/retries.ts';
import { type Settlement, settle } from '../../src/core/stream/settle/settle.ts';
import { toRow } from '../../src/core/work/decided.ts';
import { createMemoryStreams } from '../simulation/memory-streams.ts';
import { deliver } from '../support/delivered.ts';
import { readScored } from '../support/stream-entries.ts';
import { createStreamRig, marketIn, stream } from '../support/stream-rig.ts';

const rig = createStreamRig();
const name = stream.transactions;
const RUNS = 50;
const appendScript = loadScript('append-2');
const consumer = fc.constantFrom('a', 'b');
const count = fc.integer({ min: 1, max: 4 });
const which = fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 4 });
const OUTCOMES = ['acknowledge', 'told', 'retry', 'dead', 'release', 'divide'] as const;
type Outcome = (typeof OUTCOMES)[number];

const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('append' as const), count, transactions: count }),
  },
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

/** A side of the comparison: Redis, or the stand-in. */
type Side = {
  readonly append: (entry: PackedEntry) => Promise<unknown>;
  readonly read: (consumer: string, count: number) => Promise<readonly StreamEntry[]>;
  readonly own: (consumer: string, count: number) => Promise<readonly StreamEntry[]>;
  readonly claim: (consumer: string, count: number, cursor: string) => Promise<Claimed>;
  readonly heartbeat: (consumer: string, ids: readonly string[]) => Promise<number>;
  readonly settle: (settlement: Settlement) => Promise<unknown>;
  readonly promote: () => Promise<number>;
  readonly left: () => Promise<Left>;
};

type Left = {
  readonly entries: string[];
  readonly retries: string[];
  readonly pending: number;
  /** Scores in events. */
  readonly published: number;
};

async function createRedisSide(): Promise<Side> {
  const redis = rig.redis();
  await redis.flushall();
  await ensureGroups(redis, [name]);
  const market = marketIn(redis);
  const read = (own: string, share: number) => ({
    ...{ consumer: own, streams: [stream], shares: [share], transactionsMax: share },
  });
  return {
    append: ({ transactions, head, packed }) =>
      runScript(redis, appendScript, {
        keys: [name, stream.counts],
        args: [1000, ENTRY_VERSION, transactions, head, packed],
      }),
    read: async (own, max) => entriesOf(await readGroup(redis, read(own, max))),
    own: async (own, max) => entriesOf(await readGroup(redis, read(own, max), '0')),
    claim: (own, transactionsMax, cursor) =>
      claimStale(redis, ENTRY_VERSION, {
        ...{ stream, consumer: own, idleMs: 0, cursor, transactionsMax },
      }),
    heartbeat: (own, ids) => heartbeat(redis, name, own, ids),
    settle: async (settlement) => (await settle(market, [settlement])).failures[0],
    promote: () => promoteRetries(redis, [stream]),
    left: async () => ({
      entries: (await redis.xrange(name, '-', '+')).map(([, fields]) => fields.slice(2).join(' ')),
      retries: (await redis.zrange(stream.retries, '0', '-1')).sort(),
      pending: await rig.pending(),
      published: (await readScored(redis, stream.scored)).length,
    }),
  };
}

function createMemorySide(): Side {
  let published = 0;
  const observer = {
    ...{ delivered: () => undefined, ended: () => undefined },
    scored: () => {
      published += 1;
    },
  };
  const streams = createMemoryStreams(Date.now, observer, { ownerCheck: true }, 0);
  streams.ensureGroup(name);
  const read = (own: string, share: number) => ({
    ...{ consumer: own, streams: [stream], shares: [share], transactionsMax: share },
  });
  const line = (entry: PackedEntry) =>
    `n ${entry.transactions} h ${entry.head} d ${entry.packed.toString()}`;
  return {
    append: async (entry) => streams.append(name, entry),
    read: async (own, max) => entriesOf(streams.readNew(read(own, max))),
    own: async (own, max) => entriesOf(streams.readOwn(read(own, max), '0')),
    claim: async (own, transactionsMax, cursor) =>
      streams.claim({ stream, consumer: own, idleMs: 0, cursor, transactionsMax }),
    heartbeat: async (own, ids) => streams.heartbeat(name, own, ids),
    settle: async (settlement) => streams.settle(settlement),
    promote: async () => streams.promote(name),
    left: async () => ({
      entries: streams.entries(name).map(line),
      retries: streams
        .retries(name)
        .map(({ head, packed }) => `${ENTRY_VERSION} ${head}\n${packed.toString()}`)
        .sort(),
      pending: streams.pendingCount(),
      published,
    }),
  };
}

function entriesOf(read: Read | undefined): readonly StreamEntry[] {
  return read?.deliveries[0]?.entries ?? [];
}

/** Runs the commands; results name entries by their values. */
async function run(side: Side, commands: readonly Command[]): Promise<unknown[]> {
  const ids = new Map<string, StreamEntry>();
  let appended = 0;
  let cursor = '-';
  const told = (entries: readonly StreamEntry[]) =>
    entries.map((entry) => {
      const { id: _, packed, ...rest } = entry;
      const value = packed?.toString() ?? '';
      if (!entry.deleted) ids.set(value, entry);
      return { value, ...rest };
    });
  /** Entries that were delivered at some time, held or not. */
  const pick = (places: readonly number[]) => {
    const known = [...ids];
    const indices = new Set(places.map((place) => place % Math.max(1, known.length)));
    return [...indices].flatMap((index) => {
      const one = known[index];
      return one === undefined ? [] : [one];
    });
  };
  const step = async (one: Command): Promise<unknown> => {
    switch (one.kind) {
      case 'append':
        for (let n = 0; n < one.count; n++) {
          const packed = Buffer.from(`value ${++appended}`);
          await side.append({ transactions: one.transactions, head: HEAD, packed });
        }
        return null;
      case 'read':
        return told(await side.read(one.consumer, one.count));
      case 'own':
        return told(await side.own(one.consumer, one.count));
      case 'claim': {
        const claimed = await side.claim(one.consumer, one.count, cursor);
        cursor = claimed.cursor;
        const { entries, suspects } = claimed;
        return { isEnd: cursor === '-', entries: told(entries), suspects: told(suspects) };
      }
      case 'heartbeat':
        return await side.heartbeat(
          one.consumer,
          pick(one.which).map(([, { id }]) => id),
        );
      case 'settle':
        return await side.settle(settlementOf(one.consumer, one.outcome, pick(one.which)));
      case 'promote':
        return await side.promote();
    }
  };
  const answers: unknown[] = [];
  for (const one of commands) answers.push(await step(one));
  return [...answers, await side.left()];
}

const HEAD = 'attempt=1 origin=ingest';
const ID = '018bcfe5-6800-7000-8000-000000000000';
const at = new Date(0).toISOString();

/** Distinct waits, all over or none: their order does not depend on the clock. */
function settlementOf(
  own: string,
  outcome: Outcome,
  picked: readonly (readonly [string, StreamEntry])[],
): Settlement {
  const [transaction] = deliver([{ transactionId: ID, createdAtMs: 1.7e12 }]);
  if (transaction === undefined) throw new Error('one was delivered');
  const decision = { score: 1, risk: 0.01, verdict: 'approve', reasons: [] } as const;
  const score = { count: 1, rows: toRow(transaction, decision) };
  const packed = (text: string, transactions: number, deliveries = 0): PackedEntry => {
    return { transactions, head: `${HEAD} deliveries=${deliveries}`, packed: Buffer.from(text) };
  };
  const ended = picked.map(([value, { id: entryId, transactions }], index) => ({
    ...{ entryId, transactions, scoredAtMs: 0, needsOwner: outcome === 'told' },
    scores: outcome === 'acknowledge' || transactions > 1 ? [score] : [],
    retries:
      outcome !== 'retry'
        ? []
        : [
            {
              next: packed(`${value}, again`, 1),
              waitMs:
                value.length % 2 === 0 ? 600_000 : index * 1000 - 900_000 + value.length * 10_000,
            },
          ],
    deadLetters:
      outcome !== 'dead'
        ? []
        : [{ transactionId: ID, accountId: 'acc', attempts: 1, error: 'X: x', failedAt: at }],
  }));
  const replaced = picked.map(([value, { id: entryId, transactions, deliveries }]) => ({
    ...{ entryId, transactions },
    by:
      outcome === 'release'
        ? [packed(`${value}, given back`, transactions)]
        : Array.from({ length: transactions }, (_, n) =>
            packed(`${value}, part ${n}`, 1, deliveries),
          ),
  }));
  const isReplaced = outcome === 'release' || outcome === 'divide';
  return {
    ...{ stream, consumer: own, replies: [] },
    ...(isReplaced ? { ended: [], replaced } : { ended, replaced: [] }),
  };
}

/** The scripts' count equals the stream's contents. */
async function expectCounted(): Promise<void> {
  const redis = rig.redis();
  const entries = await redis.xrange(name, '-', '+');
  const held = entries.reduce((total, [, fields]) => total + Number(fields[3]), 0);
  expect(Number(await redis.hget(stream.counts, 'transactions'))).toBe(held);
}

test('streams of the simulation answer as Redis does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 25 }), async (commands) => {
      const expected = await run(await createRedisSide(), commands);
      await expectCounted();
      expect(await run(createMemorySide(), commands)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});
