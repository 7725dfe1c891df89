/**
 * Kafka beside Redis Streams, with a real controller and two brokers: a corridor goes from Streams to both logs, to Kafka alone and
 * back, while brokers die, the partition moves and workers stand still.
 */
import { join } from 'node:path';
import { openKafka } from '../../src/core/stream/kafka/clients.ts';
import { type Fetcher, openFetcher } from '../../src/core/stream/kafka/fetch-records.ts';
import { topicsOf } from '../../src/core/stream/kafka/topics.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import {
  type ChaosServices,
  type ServiceControl,
  type ServicesOptions,
  startServices,
} from '../chaos/support/services.ts';
import { MARKET, readScoredEvents } from '../chaos/support/streams.ts';
import { startKafka, type TestKafka } from '../support/kafka/broker.ts';

const CORRIDOR = 'US-EG';
const SWITCH_MS_MAX = 5000;
/** Longer than the group waits for a member that stands still. */
const FROZEN_MS = 9000;
const BETWEEN_MS = 3000;
/** Time of the dual run: what was received within two seconds of a switch is not compared. */
const DUAL_MS = 12_000;

const running = new WeakMap<ChaosServices, TestKafka>();

async function startWithKafka(options: ServicesOptions): Promise<ChaosServices> {
  await using opened = new AsyncDisposableStack();
  const { signal } = options;
  const folder = join(options.folder, 'logs');
  const kafka = opened.use(await startKafka(folder, { brokers: 2, signal }));
  const services = opened.use(await startServices(options));
  const owned = opened.move();
  const all: ChaosServices = {
    ...services,
    engineEnvironment: { KAFKA_URL: kafka.url },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  running.set(all, kafka);
  return all;
}

function kafkaOf({ services }: Stage): TestKafka {
  const kafka = running.get(services);
  if (kafka === undefined) throw new Error('this set-up has no Kafka');
  return kafka;
}

async function ask<T>({ engine, signal }: Stage, path: string, body?: object): Promise<T> {
  const response = await fetch(`${engine.apiUrls[0]}/v1/corridors/${CORRIDOR}${path}`, {
    method: body === undefined ? 'GET' : 'PUT',
    headers: { authorization: `Bearer ${engine.apiKey}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

type Compared = {
  readonly equal: number;
  readonly missing_in_streams: number;
  readonly missing_in_kafka: number;
  readonly differing: number;
  readonly elsewhere: number;
};

/** Offset behind the last record of the corridor's one partition. */
async function endOf({ consumer }: Fetcher, topic: string): Promise<bigint> {
  consumer.topics.track(topic);
  const ends = await consumer.listOffsets({ topics: [topic], partitions: { [topic]: [0] } });
  return ends.get(topic)?.[0] ?? 0n;
}

/** When Redis appended the last entry, by its clock. */
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
  await stage.until('both logs have delivered the same', isSame, 120_000).catch(() => undefined);
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

/** The broker that leads the corridor's partition. */
async function leaderOf(stage: Stage): Promise<ServiceControl> {
  const kafka = kafkaOf(stage);
  await using clients = openKafka(kafka.url);
  await using fetcher = await openFetcher(clients, 'looks');
  const topic = topicsOf(MARKET, CORRIDOR).transactions;
  const metadata = await fetcher.consumer.metadata({ topics: [topic], forceUpdate: true });
  const leader = metadata.topics.get(topic)?.partitions[0]?.leader ?? -1;
  const address = metadata.brokers.get(leader);
  const found = kafka.brokers.find(({ url }) => url.endsWith(`:${address?.port}`));
  if (found === undefined) throw new Error(`broker ${leader} is none of this set-up`);
  return found;
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

/** A request that came before the topics were led is repeated. */
async function setLog(stage: Stage, log: string): Promise<void> {
  const set = () => ask(stage, '', { log, reason: `set-up: ${log}` });
  await stage.until(`the log is ${log}`, () => set().then(() => true, isBusy), 120_000);
}

function isBusy(error: unknown): boolean {
  if (String(error).includes(': 503 ')) return false;
  throw error;
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
  await using clients = openKafka(kafkaOf(stage).url);
  await using fetcher = await openFetcher(clients, 'looks');
  const { transactions: topic } = topicsOf(MARKET, CORRIDOR);
  const askedMs = performance.now();
  await setLog(stage, 'streams');
  let [end, changedMs] = [await endOf(fetcher, topic), performance.now()];
  while (performance.now() - askedMs < 2 * SWITCH_MS_MAX) {
    const now = await endOf(fetcher, topic);
    if (now !== end) [end, changedMs] = [now, performance.now()];
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
    const { ids } = await readScoredEvents(stage.services);
    const fromKafka = await readKafkaEvents(stage);
    const rows = await stage.services.query<{ id: string }>(
      'select transaction_id::text as id from scores',
    );
    const missing = rows.filter(({ id }) => !ids.has(id) && !fromKafka.ids.has(id));
    stage.bar('scores without an event in either log', missing.length, { exactly: 0 });
    stage.bar('scores published by Kafka', fromKafka.ids.size, { atLeast: 1 });
    const doubled = fromKafka.events - fromKafka.ids.size;
    stage.remark(`${doubled} of ${fromKafka.events} scores came twice in Kafka's events`);
  },
};

async function readKafkaEvents(stage: Stage) {
  await using clients = openKafka(kafkaOf(stage).url);
  await using fetcher = await openFetcher(clients, 'looks');
  const topic = topicsOf(MARKET, CORRIDOR).scored;
  const ids = new Set<string>();
  let events = 0;
  const end = await endOf(fetcher, topic);
  for (let position = 0n; position < end; ) {
    for (const one of await fetcher.fetch([{ topic, partition: 0, position }])) {
      for (const { value } of one.records) {
        const { scores } = JSON.parse(String(value)) as { scores: [string][] };
        for (const [id] of scores) ids.add(id);
        events += scores.length;
      }
      position = one.next;
    }
  }
  return { ids, events };
}

export const kafka: Scenario = {
  name: 'kafka',
  what: 'Kafka beside Streams: dual run, a switch there and back, brokers and workers that fail',
  setup: { countersExact: false, corridor: CORRIDOR, rate: 300, recoverSecondsMax: 60 },
  startServices: startWithKafka,
  plan: () => plan,
};

export const kafkaCompare: Scenario = {
  name: 'kafka-compare',
  what: 'both logs deliver the same transactions, byte for byte and partition by partition',
  setup: { countersExact: false, corridor: CORRIDOR, batch: 1000, rate: 2000 },
  startServices: startWithKafka,
  plan: (_, { transactions }) => ({
    schedule: ['Streams → both logs'],
    faults: ['both logs'],
    run: async (stage) => {
      await setLog(stage, 'both');
      stage.happened('both logs');
      // Transactions count that were received two seconds later.
      await stage.progress(1);
      await stage.pause(BETWEEN_MS);
    },
    judge: (stage) => judgeCompared(stage, 'dual run', 0.9 * transactions),
  }),
};
