/** Kafka for the tests of a file: one broker, and for each test a rig of workers with a corridor of its own, whose topics are new. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { CorridorLog } from '../../../src/core/domain/corridor.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { createKafkaAppend } from '../../../src/core/stream/kafka/append.ts';
import { type KafkaClients, openKafka } from '../../../src/core/stream/kafka/clients.ts';
import { openFetcher } from '../../../src/core/stream/kafka/fetch-records.ts';
import { groupOf, PARTITIONS, topicsOf } from '../../../src/core/stream/kafka/topics.ts';
import { makeCertificates } from '../certificates.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../worker-rig.ts';
import { startKafka, type TestKafka } from './broker.ts';

const START_MS = 300_000;
const CORRIDORS = ['US-EG', 'US-MX', 'GB-NG', 'US-IN', 'US-PH'];

type Running = {
  folder: string;
  kafka: TestKafka;
  clients: KafkaClients;
  rig: WorkerRig;
  corridor: string;
};

/** Registers its hooks: call in a `describe`. @param openssl makes certificates for a listener with TLS and SASL */
export function useKafka(openssl?: string) {
  // Hooks set the others before a test runs.
  const running = { corridor: '' } as Running;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'risk-kafka-'));
    const certificates =
      openssl === undefined
        ? undefined
        : await makeCertificates(openssl, join(folder, 'certificates'));
    const { signal } = new AbortController();
    running.folder = folder;
    running.kafka = await startKafka(folder, { certificates, signal });
    running.clients = openKafka(running.kafka.url);
  }, START_MS);
  afterAll(async () => {
    await running.clients?.[Symbol.asyncDispose]();
    await running.kafka?.[Symbol.asyncDispose]();
    rmSync(running.folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    running.rig = await createWorkerRig();
    const next = CORRIDORS.indexOf(running.corridor) + 1;
    running.corridor = CORRIDORS[next % CORRIDORS.length] ?? '';
  });
  afterEach(async () => {
    await running.rig[Symbol.asyncDispose]();
  });
  const ensure = (corridor: string) =>
    running.clients.ensureTopics(
      Object.values(topicsOf(running.rig.database.market, corridor)),
      PARTITIONS,
    );
  return Object.assign(running, {
    topics: () => topicsOf(running.rig.database.market, running.corridor),
    store: (count: number, startMs?: number) =>
      running.rig.store(
        seeds(count, startMs).map((seed) => ({ ...seed, corridor: running.corridor })),
      ),
    /** Makes the topics of a corridor. */
    ensure,
    /** Offsets of partition 0; `committed` is -1 where the market's group has none. */
    async offsetsOf(topic: string) {
      await using fetcher = await openFetcher(
        running.clients,
        groupOf(running.rig.database.market),
      );
      const { consumer } = fetcher;
      consumer.topics.track(topic);
      const commits = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] });
      const ends = await consumer.listOffsets({ topics: [topic] });
      return { committed: Number(commits.get(topic)?.[0]), end: Number(ends.get(topic)?.[0]) };
    },
    async setLog(log: CorridorLog) {
      const { rig, corridor } = running;
      const { sql } = rig.database;
      await ensure(corridor);
      await sql(
        `insert into corridor_settings (corridor, changed_by, log, log_changed_at, compared_from)
         values ($1, 'test', $2, now(), '2000-01-01')`,
        [corridor, log],
      );
    },
    async append(
      transactions: readonly Transaction[],
      { clients = running.clients, rowId = null as string | null } = {},
    ) {
      const append = createKafkaAppend({
        ...{ clients, market: running.rig.database.market, shardsOf: () => 1 },
        onMissed: (failure) => {
          throw new Error('Kafka has missed entries', { cause: failure });
        },
      });
      const left = await append(
        transactions.map((transaction) => ({
          ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId },
        })),
      );
      expect(left).toEqual([]);
    },
  });
}
