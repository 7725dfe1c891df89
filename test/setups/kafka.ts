/**
 * Kafka beside Redis Streams, with a real controller and two brokers: a corridor goes from Streams to both logs, to Kafka alone and
 * back, while brokers die, the partition moves and workers stand still.
 */
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { MARKET, readScoredEvents } from '../chaos/support/streams.ts';
import {
  ask,
  CORRIDOR,
  countReconciled,
  leaderOf,
  openLooker,
  readKafkaEvents,
  setLog,
  startDivided,
  startWithKafka,
  TOPICS,
} from './support/kafka-logs.ts';

const SWITCH_MS_MAX = 5000;
/** Longer than the group waits for a member that stands still. */
const FROZEN_MS = 9000;
/** Longer than the group waits for a member that died. */
const DEAD_MS = 9000;
const BETWEEN_MS = 3000;
/** Time of the dual run: what was received within two seconds of a switch is not compared. */
const DUAL_MS = 12_000;
/** Partitions that have entries, where a set-up proves that an account stays in its own. */
const SHARDS = 4;
/** A million transactions in both logs leave a backlog of minutes. */
const SAME_MS_MAX = 600_000;
/** A million transactions are posted within a quarter of an hour, or not at all. */
const POSTED_MS_MAX = 1_800_000;
const POISONED = 'acc_setup_poisoned';
/** Batches in hand where workers die or stand still come twice: some, of thousands of transactions. */
const DOUBLED_SHARE_MAX = 0.3;

/** Bars that mutants breach. */
export const RECONCILED = 'transactions that the reconciler appended again';
const DOUBLED = 'share of scores that come twice in events, %';
export const ELSEWHERE = 'dual run: elsewhere';

type Compared = {
  readonly equal: number;
  readonly missing_in_streams: number;
  readonly missing_in_kafka: number;
  readonly differing: number;
  readonly elsewhere: number;
};

/** When Redis appended the last entry of the corridor's one stream, by its clock. */
async function lastAppendedMs({ services }: Stage): Promise<number> {
  const key = `{${MARKET}:${CORRIDOR}:0}:transactions`;
  const facts = (await services.client.call('XINFO', ['STREAM', key])) as unknown[];
  return Number.parseInt(String(facts[facts.indexOf('last-generated-id') + 1]), 10);
}

/** Until both logs have delivered the same; then says so. */
async function judgeCompared(stage: Stage, what: string, atLeast: number): Promise<void> {
  let last: Compared | undefined;
  const isSame = async () => {
    last = (await ask<{ compared: Compared }>(stage, '/logs')).compared;
    return last.equal >= atLeast && last.missing_in_streams + last.missing_in_kafka === 0;
  };
  await stage
    .until('both logs have delivered the same', isSame, SAME_MS_MAX)
    .catch(() => undefined);
  stage.bar(`${what}: transactions in equal entries`, last?.equal ?? 0, { atLeast });
  for (const name of [
    'missing_in_streams',
    'missing_in_kafka',
    'differing',
    'elsewhere',
  ] as const) {
    stage.bar(`${what}: ${name}`, last?.[name] ?? -1, { exactly: 0 });
  }
}

/** Kills the leader: the partition moves to the other broker, and later both have it again. */
async function movePartition(stage: Stage): Promise<void> {
  const leader = await leaderOf(stage);
  await leader.end('SIGKILL');
  stage.happened('broker killed');
  await stage.until('the partition has moved', async () => {
    const now = await leaderOf(stage).catch(() => leader);
    return now !== leader;
  });
  stage.happened('partition moved');
  await stage.pause(BETWEEN_MS);
  await leader.start();
}

async function freezeWorkers(stage: Stage): Promise<void> {
  for (const { name, pid } of stage.engine.running('worker')) {
    process.kill(pid, 'SIGSTOP');
    await stage.pause(FROZEN_MS);
    process.kill(pid, 'SIGCONT');
    stage.happened('consumer frozen');
    stage.remark(`${name} stood still for ${FROZEN_MS / 1000} s`);
    await stage.pause(BETWEEN_MS);
  }
}

/** @returns milliseconds from the request until the other log got its last entry */
async function toKafka(stage: Stage): Promise<number> {
  const [seconds = '0'] = (await stage.services.client.call('TIME', [])) as string[];
  const askedMs = Number(seconds) * 1000;
  await setLog(stage, 'kafka');
  await stage.pause(SWITCH_MS_MAX);
  return Math.max(0, (await lastAppendedMs(stage)) - askedMs);
}

async function toStreams(stage: Stage): Promise<number> {
  await using looker = await openLooker(stage);
  const end = async () => String(await looker.ends(TOPICS.transactions));
  const askedMs = performance.now();
  await setLog(stage, 'streams');
  let [last, changedMs] = [await end(), performance.now()];
  while (performance.now() - askedMs < 2 * SWITCH_MS_MAX) {
    const now = await end();
    if (now !== last) [last, changedMs] = [now, performance.now()];
  }
  return changedMs - askedMs;
}

const plan: Plan = {
  schedule: [
    'Streams → both logs → Kafka alone',
    'the broker that leads dies, and its partition moves',
    'each worker stands still for 9 s',
    'back to Streams',
  ],
  faults: ['broker killed', 'partition moved', 'consumer frozen'],
  run: async (stage) => {
    await setLog(stage, 'both');
    await stage.pause(DUAL_MS);
    stage.bar('ms until Kafka alone gets entries', await toKafka(stage), { atMost: SWITCH_MS_MAX });
    await judgeCompared(stage, 'dual run', 1000);
    await movePartition(stage);
    await freezeWorkers(stage);
    stage.bar('ms until Streams alone get entries', await toStreams(stage), {
      atMost: SWITCH_MS_MAX,
    });
    // The checker reads events of Redis alone.
    stage.ledger.note({ kind: 'wiped' });
  },
  judge: async (stage) => {
    const doubled = await judgeEvents(stage);
    stage.remark(`${doubled} % of the scores came twice in Kafka's events`);
  },
};

/** @returns the share of scores that came twice in Kafka's events, in per cent */
async function judgeEvents(stage: Stage): Promise<number> {
  const { ids } = await readScoredEvents(stage.services);
  const fromKafka = await readKafkaEvents(stage);
  const rows = await stage.services.query<{ id: string }>(
    'select transaction_id::text as id from scores',
  );
  const missing = rows.filter(({ id }) => !ids.has(id) && !fromKafka.ids.has(id));
  stage.bar('scores without an event in either log', missing.length, { exactly: 0 });
  stage.bar('scores published by Kafka', fromKafka.ids.size, { atLeast: 1 });
  const doubled = fromKafka.events - fromKafka.ids.size;
  return Math.round((1000 * doubled) / Math.max(1, fromKafka.ids.size)) / 10;
}

/** Kills each worker, lets its entries wait for another one, and starts it again; then each stands still. */
const workersPlan: Plan = {
  schedule: ['Kafka alone', 'kill -9 of each worker', 'each worker stands still for 9 s'],
  faults: ['worker killed', 'consumer frozen'],
  run: async (stage) => {
    const { engine } = stage;
    await setLog(stage, 'kafka');
    await stage.pause(BETWEEN_MS);
    for (const { name } of engine.running('worker')) {
      await engine.kill(name);
      stage.happened('worker killed');
      await stage.pause(DEAD_MS);
      await engine.start('worker', name);
      await stage.pause(BETWEEN_MS);
    }
    await freezeWorkers(stage);
    stage.ledger.note({ kind: 'wiped' });
  },
  judge: async (stage) => {
    stage.bar(RECONCILED, await countReconciled(stage), { exactly: 0 });
    stage.bar(DOUBLED, await judgeEvents(stage), { atMost: 100 * DOUBLED_SHARE_MAX });
  },
};

export const kafka: Scenario = {
  name: 'kafka',
  what: 'Kafka beside Streams: dual run, a switch there and back, brokers and workers that fail',
  setup: { countersExact: false, corridor: CORRIDOR, rate: 300, recoverSecondsMax: 60 },
  startServices: startWithKafka,
  plan: () => plan,
};

export const kafkaWorkers: Scenario = {
  name: 'kafka-workers',
  what: 'what died or stood still has its entries in Kafka, and its retries: nothing is appended again',
  setup: {
    ...{ countersExact: false, corridor: CORRIDOR, rate: 300, recoverSecondsMax: 60 },
    // An entry waits longer than this for the partition of a dead worker, and for its last attempt.
    environment: {
      RISK_RECONCILE_AGE_MS: '3000',
      RISK_TEST_POISON: `throw:${POISONED}`,
    },
    spoiled: { every: 100, account: POISONED },
  },
  startServices: startDivided(SHARDS),
  plan: () => workersPlan,
};

/** Events that Redis surely keeps in this set-up: of 1,015,000 it kept 192,445, then its memory was at the bound of events. */
const EVENTS_KEPT = 100_000;

export const kafkaCompare: Scenario = {
  name: 'kafka-compare',
  what: 'both logs deliver the same transactions, byte for byte and partition by partition',
  setup: {
    ...{ countersExact: false, corridor: CORRIDOR, batch: 1000, rate: 2000 },
    recoverSecondsMax: SAME_MS_MAX / 1000,
  },
  startServices: startDivided(SHARDS),
  plan: (_, { transactions }) => ({
    schedule: [`${SHARDS} shards`, 'Streams → both logs'],
    faults: ['both logs'],
    run: async (stage) => {
      await setLog(stage, 'both');
      stage.happened('both logs');
      if (transactions > EVENTS_KEPT) stage.ledger.note({ kind: 'crowded' });
      // Transactions count that were received two seconds later.
      await stage.pause(BETWEEN_MS);
      const before = stage.ledger.counts.acknowledged;
      const isPosted = () => stage.ledger.counts.acknowledged - before >= transactions;
      await stage.until(`${transactions} are posted`, isPosted, POSTED_MS_MAX);
    },
    judge: (stage) => judgeCompared(stage, 'dual run', transactions),
  }),
};
