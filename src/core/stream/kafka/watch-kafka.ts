/**
 * Measures Kafka every few seconds, beside all that ask: a broker that is gone answers late, and delays no status and no other
 * metric. While no corridor ever used Kafka, nothing is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../kit/metrics/log.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { settlesWithin } from '../../../kit/process/settles-within.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { toError } from '../../../kit/words/failure.ts';
import type { Layout } from '../../domain/corridor.ts';
import { CLOSE_MS_MAX, type KafkaClients, kafkaOf } from './clients.ts';
import { type Fetcher, openFetcher } from './fetch-records.ts';
import { type KafkaLag, measureKafka } from './lag.ts';
import { groupOf } from './topics.ts';

/** Longer: alerts and scaling follow later. Shorter: each process asks all brokers more often. */
const EVERY_MS = 3000;
/** As breakers are counted. */
const [CLOSED, OPEN] = [0, 2];

type KafkaState = {
  readonly isDown: boolean;
  /** None while it is down. */
  readonly lags: readonly KafkaLag[];
};

/** Null where no corridor ever used Kafka, or none was measured yet. */
export type ReadKafka = () => KafkaState | null;

type KafkaMetrics = Pick<Metrics, 'breakerState' | 'kafkaLag' | 'kafkaTrimmed'>;

type Parts = {
  readonly redis: RedisClient;
  readonly market: string;
  readonly controls: {
    readonly corridors: () => ReadonlySet<string>;
    readonly layout: Pick<Layout, 'everKafka'>;
  };
  readonly metrics: KafkaMetrics | null;
  readonly log: Pick<Log, 'warn' | 'info'>;
};

/** Opens the clients of a process, and measures what waits; where no URL is set, there is neither. */
export function openKafkaOf(url: string | undefined, stack: AsyncDisposableStack, parts: Parts) {
  const kafka = kafkaOf(url, stack);
  return { kafka, readKafka: stack.use(watchKafka(kafka, parts)).current };
}

function watchKafka(
  clients: KafkaClients | undefined,
  { redis, market, controls, metrics, log }: Parts,
) {
  const corridors = () => [...controls.corridors()].filter(controls.layout.everKafka);
  const stop = new AbortController();
  let fetcher: Fetcher | undefined;
  let state: KafkaState | null = null;
  const close = async () => {
    await fetcher?.[Symbol.asyncDispose]();
    fetcher = undefined;
  };
  const look = async (kafka: KafkaClients): Promise<KafkaState> => {
    try {
      fetcher ??= await openFetcher(kafka, groupOf(market));
      const lags = await measureKafka(fetcher, redis, market, corridors());
      if (state?.isDown === true) log.info('Kafka answers again');
      return { isDown: false, lags };
    } catch (error) {
      await close();
      if (state?.isDown !== true)
        log.warn({ err: toError(error).message }, 'Kafka does not answer');
      return { isDown: true, lags: [] };
    }
  };
  const run = async (kafka: KafkaClients) => {
    while (!stop.signal.aborted) {
      if (corridors().length > 0) {
        state = await look(kafka);
        if (metrics !== null) report(metrics, state);
      }
      await sleep(EVERY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    }
    await close();
  };
  const running = clients && run(clients);
  return {
    current: (() => state) as ReadKafka,
    async [Symbol.asyncDispose](): Promise<void> {
      stop.abort();
      if (running !== undefined) await settlesWithin(running, CLOSE_MS_MAX);
    },
  };
}

function report(metrics: KafkaMetrics, { isDown, lags }: KafkaState): void {
  metrics.breakerState.set({ breaker: 'kafka' }, isDown ? OPEN : CLOSED);
  const { kafkaLag, kafkaTrimmed } = metrics;
  // Figures from before are not those of now.
  for (const gauge of [kafkaLag, kafkaTrimmed]) gauge.reset();
  for (const [corridor, group] of Map.groupBy(lags, ({ stream }) => stream.corridor)) {
    const sum = (value: (lag: KafkaLag) => number) =>
      group.reduce((total, lag) => total + value(lag), 0);
    kafkaLag.set(
      { corridor },
      sum(({ lag, pending }) => lag + pending),
    );
    kafkaTrimmed.set(
      { corridor },
      sum(({ isTrimmed }) => Number(isTrimmed)),
    );
  }
}
