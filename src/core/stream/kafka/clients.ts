/**
 * Clients of Kafka. The package is loaded with the first client, so that a process whose corridors use Streams alone does not
 * hold it in memory. All calls end within CALL_MS_MAX, and errors become Failures here.
 */
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, BaseOptions, Consumer, Producer } from '@platformatic/kafka';
import { ADDRESS_MS } from '../../../kit/process/address-time.ts';
import { answerWithin, settlesWithin } from '../../../kit/process/settles-within.ts';
import { readCertificates } from '../../../kit/words/client-tls.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { type KafkaUrl, readKafkaUrl } from '../../../kit/words/kafka-url.ts';
import { divideRecords, type LogRecord } from './divide-records.ts';

/** A longer deadline keeps requests waiting for a broker that hangs; a shorter one gives up while a leader is elected. */
const CALL_MS_MAX = 3000;
/** Longer: a worker beside a broker that hangs ends later. Shorter: a slow broker notices the end of a member by its silence. */
export const CLOSE_MS_MAX = 1000;
/** A new leader, or a new topic, is known to all brokers within a second or two. */
const [TRIES, TRY_AGAIN_MS] = [6, 250];
/** Time for a new topic to be led: below the deadline of a request. A repeated request goes on where this one ended. */
const LED_MS_MAX = 6000;
/** Times of a member: it is gone after the first without a heartbeat. Longer, its partitions wait for another worker; shorter, a pause of a worker costs a rebalance. */
export const SESSION_MS = 6000;
const [REBALANCE_MS, HEARTBEAT_MS] = [6000, 1000];

/** The timestamp that stands for the first offset of a partition. */
const EARLIEST = -2n;

/** A topic that is denied is tried once in this time, as its records go alone, after a call that fails. */
const DENIED_MS = 1000;
export const KAFKA_DENIED = 'KAFKA_DENIED';
/** Topics that the user of Kafka may not write to; null where a topic was denied a moment ago. */
export type Denied = ReadonlyMap<string, Failure | null>;

export type KafkaClients = ReturnType<typeof openKafka>;

/** @param url a KAFKA_URL without problems */
export function openKafka(url: string) {
  const base: BaseOptions = {
    clientId: 'risk-engine',
    ...connectionTo(readKafkaUrl(url).url),
    timeout: CALL_MS_MAX,
    requestTimeout: CALL_MS_MAX,
    connectTimeout: ADDRESS_MS + CALL_MS_MAX,
    retries: TRIES,
    retryDelay: TRY_AGAIN_MS,
  };
  const load = () => import('@platformatic/kafka');
  const openProducer = async () => {
    const { Producer: Open } = await load();
    return quiet(new Open({ ...base, acks: -1, idempotent: false }));
  };
  const { send, close } = createSend(openProducer);
  return {
    /**
     * All records are in the log of the leader and its followers in sync, but for those of topics that are denied; or a Failure says
     * that some may not be.
     */
    send,
    /**
     * A consumer that is a member of a group, or reads alone. It tries nothing again by itself: a commit that is refused would be
     * repeated in another generation of the group. Joining a group waits for the other members.
     */
    async openConsumer(group: string): Promise<Consumer> {
      const { Consumer: Open } = await load();
      const consumer = new Open({
        ...base,
        groupId: group,
        autocommit: false,
        retries: 0,
        requestTimeout: REBALANCE_MS + SESSION_MS + CALL_MS_MAX,
        sessionTimeout: SESSION_MS,
        rebalanceTimeout: REBALANCE_MS,
        heartbeatInterval: HEARTBEAT_MS,
      });
      return quiet(consumer);
    },
    /** The topics that no broker has. Throws a Failure. */
    async missingOf(topics: readonly string[]): Promise<string[]> {
      const known = new Set(await this.administer((admin) => within(admin.listTopics())));
      return topics.filter((topic) => !known.has(topic));
    },
    /** Makes the topics that are missing, and waits until the leader of each partition answers. Throws a Failure. */
    async ensureTopics(topics: readonly string[], partitions: number): Promise<void> {
      const missing = await this.missingOf(topics);
      await this.administer(async (admin) => {
        // -1: as the broker has it set.
        if (missing.length > 0)
          await within(admin.createTopics({ topics: missing, partitions, replicas: -1 }));
        await untilLed(await this.openConsumer('looks'), topics);
      });
    },
    /** Throws a Failure. */
    async administer<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
      const { Admin: Open } = await load();
      const admin: Admin = quiet(new Open(base));
      try {
        return await work(admin);
      } catch (error) {
        throwKafkaFailure(error);
      } finally {
        await admin.close().catch(() => undefined);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Records of topics that are denied go alone, so that other topics take theirs. */
export function createSend(openProducer: () => Promise<Pick<Producer, 'send' | 'close'>>) {
  let producer: ReturnType<typeof openProducer> | undefined;
  const sendAll = async (records: readonly LogRecord[]) => {
    producer ??= openProducer();
    const client = await producer;
    for (const part of divideRecords(records)) {
      const messages = part.map(({ topic, partition, key, value, headers }) => ({
        topic,
        partition,
        key: Buffer.from(key),
        value,
        headers: new Map(
          Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
        ),
      }));
      await within(client.send({ messages, acks: -1 })).catch(throwKafkaFailure);
    }
  };
  /** Topics that this user was denied, and until when they are not tried. */
  const deniedUntilMs = new Map<string, number>();
  const send = async (records: readonly LogRecord[]): Promise<Denied> => {
    const atMs = performance.now();
    const byTopic = Map.groupBy(records, ({ topic }) => topic);
    const topics = [...byTopic.keys()];
    const denied = topics.filter((topic) => (deniedUntilMs.get(topic) ?? 0) > atMs);
    if (denied.length > 0) {
      const others = await send(records.filter(({ topic }) => !denied.includes(topic)));
      return new Map([...denied.map((topic) => [topic, null] as const), ...others]);
    }
    try {
      if (records.length > 0) await sendAll(records);
      return new Map();
    } catch (error) {
      if (!hasAnswer(error, 'TOPIC_AUTHORIZATION_FAILED')) throw error;
      const [only] = topics;
      if (only !== undefined && topics.length === 1) {
        deniedUntilMs.set(only, atMs + DENIED_MS);
        return new Map([[only, new Failure('unavailable', KAFKA_DENIED, `Kafka denies ${only}`)]]);
      }
      const parts = await Promise.all([...byTopic.values()].map(send));
      return new Map(parts.flatMap((part) => [...part]));
    }
  };
  return { send, close: async () => void (await closeSoon(await producer)) };
}

/** A file that changed is read by the next process. */
function connectionTo({
  brokers,
  login,
  tls,
}: KafkaUrl): Pick<BaseOptions, 'bootstrapBrokers' | 'sasl' | 'tls' | 'tlsServerName'> {
  return {
    bootstrapBrokers: [...brokers],
    ...(login && { sasl: login }),
    ...(tls && {
      tls: readCertificates(tls),
      // Proxies before brokers choose by it; an address has no name.
      tlsServerName: brokers.every(({ host }) => isIP(host) === 0),
    }),
  };
}

async function untilLed(consumer: Consumer, topics: readonly string[]): Promise<void> {
  const endMs = performance.now() + LED_MS_MAX;
  try {
    for (;;) {
      const ask = within(consumer.listOffsets({ topics: [...topics] }));
      const failure: unknown = await ask.then(
        () => undefined,
        (error: unknown) => error ?? new Error('no answer'),
      );
      if (failure === undefined) return;
      if (performance.now() > endMs) throw failure;
      consumer.clearMetadata();
      await sleep(TRY_AGAIN_MS);
    }
  } finally {
    await closeSoon(consumer);
  }
}

/**
 * Reads the offsets of partitions. Throws a Failure.
 * @param only limits requests to leaders of these partitions, by topic
 */
export async function readOffsets(
  consumer: Consumer,
  asked: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  only: { readonly partitions?: Record<string, number[]> } = {},
) {
  const topics = asked.map(({ topic }) => topic);
  for (const topic of topics) consumer.topics.track(topic);
  const committed = asked.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }));
  const [commits, starts, ends] = await Promise.all([
    within(consumer.listCommittedOffsets({ topics: committed })),
    within(consumer.listOffsets({ topics, ...only, timestamp: EARLIEST })),
    within(consumer.listOffsets({ topics, ...only })),
  ]).catch(throwKafkaFailure);
  /** Offsets of a partition: its first and its end, and where the group goes on; `start` where the group knows none that is there. */
  return (topic: string, partition: number) => {
    const start = starts.get(topic)?.[partition] ?? 0n;
    const end = ends.get(topic)?.[partition] ?? start;
    const committed = commits.get(topic)?.[partition] ?? -1n;
    // A topic that was made anew has lower offsets than the group remembers.
    const begin = committed < start || committed > end ? start : committed;
    const isKnown = committed >= 0n;
    /** Whether retention has removed records that were not done. */
    const isTrimmed = isKnown && committed < start;
    return { start, end, begin, isKnown, isTrimmed };
  };
}

/** The clients of a process; undefined where no URL is set. */
export function kafkaOf(
  url: string | undefined,
  stack: AsyncDisposableStack,
): KafkaClients | undefined {
  return url === undefined ? undefined : stack.use(openKafka(url));
}

/** A call that hangs is given up by its caller; what becomes of it is not known. */
export const within = <T>(call: Promise<T>): Promise<T> => answerWithin(call, 2 * CALL_MS_MAX);

/** A broker that hangs keeps no process from its end: what is still open then goes with the process. */
export const closeSoon = (client: { close(force: true): Promise<void> } | undefined) =>
  settlesWithin(Promise.resolve(client?.close(true)), CLOSE_MS_MAX);

/** An error that no call returns would end the process; the next call tells of it. */
function quiet<T extends { on: (event: 'error', listener: () => void) => unknown }>(client: T): T {
  client.on('error', () => undefined);
  return client;
}

export function throwKafkaFailure(thrown: unknown): never {
  if (thrown instanceof Failure) throw thrown;
  throw new Failure('unavailable', 'KAFKA_FAILED', describe(thrown), { cause: thrown });
}

/** Whether a broker has answered so. Its errors stand inside of others. */
export function hasAnswer(thrown: unknown, apiId: string): boolean {
  if (!(thrown instanceof Error)) return false;
  if ('apiId' in thrown && thrown.apiId === apiId) return true;
  const inner = thrown instanceof AggregateError ? thrown.errors : [];
  return [...inner, thrown.cause].some((error) => hasAnswer(error, apiId));
}

/** The errors of brokers stand below the one that is thrown. */
function describe(thrown: unknown): string {
  const inner = thrown instanceof AggregateError ? thrown.errors : [];
  const [first] = inner;
  const { message } = toError(thrown);
  return first === undefined ? message : `${message} ${describe(first)}`.slice(0, 500);
}
