/**
 * Goal: duties that find nothing to do cost an idle market a look each. Method: the duties of core and of two rooms run on real
 * Postgres and Redis, and their statements and scripts are counted.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bindLabelDuty } from '../../src/core/repair/label-duty.ts';
import { bindIngestDuties } from '../../src/core/repair/reconcile-duty.ts';
import { bindTallies } from '../../src/core/repair/tally-duty.ts';
import type { Worker } from '../../src/core/room.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { ROOMS } from '../../src/main/rooms.ts';
import { openEvidence } from '../../src/rooms/evidence/seal/duty.ts';
import { lookAtLog } from '../../src/rooms/evidence/store/evidence-log.ts';
import { openReview } from '../../src/rooms/review/duty.ts';
import { openWebhooks } from '../../src/rooms/webhooks/duty.ts';
import { silentLog, testConfig } from '../support/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';

const { signal } = new AbortController();
/** Each proof of a lead is one. */
const PROOF = 'hold-leadership';
/** Duties that look every two seconds or more often. */
const FREQUENT = [
  'reconcile',
  'finish-label-batches',
  'fold-tallies',
  'open-and-close-cases',
  'raise-webhooks',
  'seal-evidence',
];

let stack: AsyncDisposableStack;
let redis: RedisClient;
let asked: string[];
let duties: Duty[];
/** Whether the log of evidence has nothing more to seal. */
let isSealed: () => Promise<boolean>;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const database = stack.use(stack.use(await createTestDatabase()).open());
  const service = stack.use(await startTestRedis());
  redis = openCommands(service.url, 2000);
  stack.defer(() => redis.disconnect());
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
  asked = [];
  const counted =
    (query: Query): Query =>
    (statement, values) => {
      asked.push(statement.name ?? '');
      return query(statement, values);
    };
  const counting: Database = {
    ...database,
    query: counted(database.query),
    transaction: (work) => database.transaction((query) => work(counted(query))),
  };
  const folder = mkdtempSync(join(tmpdir(), 'risk-idle-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const key = join(folder, 'key.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const config = testConfig({ RISK_EVIDENCE_KEYS: key, RISK_EVIDENCE_FOLDER: folder });
  isSealed = async () => (await lookAtLog(database.query))?.hasWork === false;
  const metrics = createMetrics();
  const leadership = createLeadership(counting, 'test');
  const run = <T>(call: () => Promise<T>) => call();
  const worker = {
    ...{ config, log: silentLog(), name: 'w-1', database: counting, redis, metrics, leadership },
    guards: { redis: { run } },
    switches: { current: () => ({ stopped: new Map() }) },
    events: (await Promise.all(ROOMS.map((room) => room.events?.() ?? []))).flat(),
  } as unknown as Worker;
  const all = [
    ...bindIngestDuties(config, counting, redis, leadership, metrics),
    bindLabelDuty(config, counting, redis, run, metrics, leadership),
    bindTallies(config, counting, leadership),
    ...(await openReview(worker)).duties,
    ...(await openWebhooks(worker)).duties,
    ...(await openEvidence(worker)).duties,
  ];
  duties = all.filter(({ name }) => FREQUENT.includes(name));
});
afterEach(async () => {
  await stack.disposeAsync();
});

async function runAll(): Promise<void> {
  for (const duty of duties) await duty.run(signal);
}

test('duties without work prove no lead, but for the checkpoint that moves', async () => {
  expect(duties.map(({ name }) => name).sort()).toEqual(FREQUENT.toSorted());
  const settle = async () => {
    await runAll();
    return await isSealed();
  };
  await waitUntil(settle, 10_000, 'the first leaves');
  asked.splice(0);
  await runAll();
  expect(asked.filter((name) => name === PROOF)).toHaveLength(1);
  expect(asked).toContain('lock-tally-checkpoint');
});
