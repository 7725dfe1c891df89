/** The logs of a corridor in a set-up with Kafka: switches them, and reads what they hold. */
import { join } from 'node:path';
import { decodeHead } from '../../../src/core/stream/entries/entry-head.ts';
import { openKafka } from '../../../src/core/stream/kafka/clients.ts';
import {
  type FetchedRecord,
  type Fetcher,
  openFetcher,
} from '../../../src/core/stream/kafka/fetch-records.ts';
import { PARTITIONS, topicsOf } from '../../../src/core/stream/kafka/topics.ts';
import type { Stage } from '../../chaos/support/scenario.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  startServices,
} from '../../chaos/support/services.ts';
import { MARKET } from '../../chaos/support/streams.ts';
import { startKafka, type TestKafka } from '../../support/kafka/broker.ts';
import type { ServiceControl } from '../../support/service-control.ts';

export const CORRIDOR = 'US-EG';
export const TOPICS = topicsOf(MARKET, CORRIDOR);

const running = new WeakMap<ChaosServices, TestKafka>();

/** Postgres and Redis, with a controller and two brokers beside them. */
export async function startWithKafka(options: ServicesOptions): Promise<ChaosServices> {
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

/** Divides the corridor before any process reads how many streams it has. */
export const startDivided = (shards: number) => async (options: ServicesOptions) => {
  await using opened = new AsyncDisposableStack();
  const services = opened.use(await startWithKafka(options));
  const values = [CORRIDOR, shards];
  await services.query(
    `insert into corridor_settings (corridor, shards, changed_by) values ($1, $2, 'set-up')`,
    values,
  );
  opened.move();
  return services;
};

function kafkaOf({ services }: Stage): TestKafka {
  const kafka = running.get(services);
  if (kafka === undefined) throw new Error('this set-up has no Kafka');
  return kafka;
}

export const ask = <T>({ engine }: Stage, path: string, body?: object): Promise<T> =>
  engine.ask(body === undefined ? 'GET' : 'PUT', `/v1/corridors/${CORRIDOR}${path}`, body);

/** A request that came before the topics were led is repeated. */
export async function setLog(stage: Stage, log: string): Promise<void> {
  const set = () => ask(stage, '', { log, reason: `set-up: ${log}` });
  await stage.until(`the log is ${log}`, () => set().then(() => true, isBusy), 120_000);
}

function isBusy(error: unknown): boolean {
  if (String(error).includes(': 503 ')) return false;
  throw error;
}

/** A reader of the topics of a set-up. */
export async function openLooker(stage: Stage) {
  await using opened = new AsyncDisposableStack();
  const clients = opened.use(openKafka(kafkaOf(stage).url));
  const fetcher = opened.use(await openFetcher(clients, 'looks'));
  const owned = opened.move();
  return {
    fetcher,
    /** Offsets behind the last records of all partitions. */
    ends: (topic: string) => endsOf(fetcher, topic),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function endsOf({ consumer }: Fetcher, topic: string): Promise<readonly bigint[]> {
  consumer.topics.track(topic);
  const ends = await consumer.listOffsets({ topics: [topic] });
  return Array.from({ length: PARTITIONS }, (_, at) => ends.get(topic)?.[at] ?? 0n);
}

/** All records of a topic. */
async function* readAll(stage: Stage, topic: string): AsyncGenerator<FetchedRecord> {
  await using looker = await openLooker(stage);
  const ends = await looker.ends(topic);
  const positions = new Map(ends.map((_, partition) => [partition, 0n]));
  for (;;) {
    const left = [...positions].filter(([at, position]) => position < (ends[at] ?? 0n));
    if (left.length === 0) return;
    const asked = left.map(([partition, position]) => ({ topic, partition, position }));
    for (const { partition, records, from, next } of await looker.fetcher.fetch(asked)) {
      if (positions.get(partition) !== from) continue;
      positions.set(partition, next);
      yield* records;
    }
  }
}

/** Ids with a score in an event of Kafka, and how many scores there are. */
export async function readKafkaEvents(stage: Stage) {
  const ids = new Set<string>();
  let events = 0;
  for await (const { value } of readAll(stage, TOPICS.scored)) {
    const { scores } = JSON.parse(String(value)) as { scores: [string][] };
    for (const [id] of scores) ids.add(id);
    events += scores.length;
  }
  return { ids, events };
}

/** Transactions that the reconciler has appended to Kafka. */
export async function countReconciled(stage: Stage): Promise<number> {
  let count = 0;
  for await (const { headers } of readAll(stage, TOPICS.transactions)) {
    if (decodeHead(headers.get('h') ?? null).origin === 'reconciled') {
      count += Number(headers.get('n'));
    }
  }
  return count;
}

/** The broker that leads the corridor's first partition. */
export async function leaderOf(stage: Stage): Promise<ServiceControl> {
  const kafka = kafkaOf(stage);
  await using looker = await openLooker(stage);
  const topic = TOPICS.transactions;
  const metadata = await looker.fetcher.consumer.metadata({ topics: [topic], forceUpdate: true });
  const leader = metadata.topics.get(topic)?.partitions[0]?.leader ?? -1;
  const address = metadata.brokers.get(leader);
  const found = kafka.brokers.find(({ url }) => url.endsWith(`:${address?.port}`));
  if (found === undefined) throw new Error(`broker ${leader} is none of this set-up`);
  return found;
}
