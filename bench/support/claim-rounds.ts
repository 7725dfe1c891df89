/** Claims of random keys in several markets in turn, with the processor time and the log each of them costs. */
import { randomUUID } from 'node:crypto';
import { newTransactionId } from '../../src/core/accept/prepare-transactions.ts';
import type { KeySlices } from '../../src/core/store/idempotency-keys/key-slices.ts';
import { createPartitionGuard } from '../../src/core/store/partitions/partitions.ts';
import {
  claimTransactions,
  type NewBatch,
} from '../../src/core/store/transactions/transactions.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { treeCpuSeconds } from './process-usage.ts';
import type { Services } from './services.ts';
import type { KeyMarket, StandingMarket } from './standing-keys.ts';
import { asSuperuser } from './superuser.ts';

export const KEY_ARMS = ['empty', 'standing', 'unfiltered'] as const;
export type KeyArm = (typeof KEY_ARMS)[number];

/** The cost of claiming a key; Postgres with all its processes, checkpoints included. */
export type ClaimCost = {
  readonly serverUs: number;
  readonly clientUs: number;
  readonly walBytes: number;
};

export type Rounds = { readonly batch: number; readonly keys: number; readonly rounds: number };

const WRITERS = 2;
const ACCOUNTS = 5000;
const MERCHANTS = 900;

export async function claimRounds(
  services: Services,
  { empty, full }: { readonly empty: KeyMarket; readonly full: StandingMarket },
  { batch, keys, rounds }: Rounds,
  signal: AbortSignal,
): Promise<Record<KeyArm, ClaimCost[]>> {
  const arms: Record<KeyArm, readonly [Database, KeySlices]> = {
    empty: [empty.database, empty.slices],
    standing: [full.database, full.slices],
    unfiltered: [full.database, full.unfiltered],
  };
  const costs: Record<KeyArm, ClaimCost[]> = { empty: [], standing: [], unfiltered: [] };
  const makeBatch = batchMaker(batch);
  await allowCheckpoints(services);
  for (const arm of KEY_ARMS) await claimAll(arms[arm], makeBatch(Math.min(keys, batch * 10)));
  for (let round = 0; round < rounds; round++) {
    for (const arm of KEY_ARMS) {
      signal.throwIfAborted();
      const halves = [makeBatch(keys / 2), makeBatch(keys / 2)];
      const claimed = halves.flat().reduce((sum, { transactions }) => sum + transactions.length, 0);
      costs[arm].push(
        await measure(services, claimed, () => claimHalves(services, arms[arm], halves)),
      );
    }
  }
  return costs;
}

async function allowCheckpoints(services: Services): Promise<void> {
  const role = new URL(services.databaseUrl).username;
  await asSuperuser(services, (superuser) => superuser.query(`grant pg_checkpoint to ${role}`));
}

/** A checkpoint before each half, so that first touches of pages count. */
async function claimHalves(
  { database }: Services,
  arm: readonly [Database, KeySlices],
  halves: readonly (readonly NewBatch[])[],
): Promise<void> {
  for (const half of halves) {
    await database.query('checkpoint');
    await claimAll(arm, half);
  }
}

async function claimAll(
  [database, slices]: readonly [Database, KeySlices],
  batches: readonly NewBatch[],
): Promise<void> {
  await createPartitionGuard(database).ensure([Date.now()]);
  let next = 0;
  const drive = async () => {
    for (let at = next++; at < batches.length; at = next++) {
      const claim = await claimTransactions(database, slices, batches[at] as NewBatch);
      if ('known' in claim) throw new Error('a random key was held');
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, drive));
}

async function measure(
  { database, postgresPid }: Services,
  keys: number,
  work: () => Promise<void>,
): Promise<ClaimCost> {
  const readWal = async () => {
    const { rows } = await database.query<{ bytes: number }>(
      `select (pg_current_wal_insert_lsn() - '0/0')::float8 as bytes`,
    );
    return rows[0]?.bytes ?? 0;
  };
  const [serverSeconds, client, wal] = [
    treeCpuSeconds(postgresPid),
    process.cpuUsage(),
    await readWal(),
  ];
  await work();
  const { user, system } = process.cpuUsage(client);
  return {
    serverUs: ((treeCpuSeconds(postgresPid) - serverSeconds) * 1e6) / keys,
    clientUs: (user + system) / keys,
    walBytes: ((await readWal()) - wal) / keys,
  };
}

function batchMaker(size: number): (keys: number) => NewBatch[] {
  let made = 0;
  const makeRow = (nowMs: number): NewBatch['transactions'][number] => {
    made += 1;
    return {
      ...{ transactionId: newTransactionId(nowMs), createdAtMs: nowMs },
      ...{ accountId: `acc_${(made * 7919) % ACCOUNTS}`, merchantId: `m_${made % MERCHANTS}` },
      ...{ amount: '125.50', currency: 'USD', corridor: 'US-EG', type: 'payment' },
      ...{ ip: '192.0.2.1', deviceId: `device_${made % ACCOUNTS}`, country: 'US', channel: 'web' },
      idempotencyKey: randomUUID(),
      fingerprint: randomUUID().replaceAll('-', ''),
      ...{ metadata: null, declared: null },
    };
  };
  return (keys) => {
    const nowMs = Date.now();
    return Array.from({ length: Math.ceil(keys / size) }, () => {
      const transactions = Array.from({ length: size }, () => makeRow(nowMs)).sort((a, b) =>
        a.idempotencyKey < b.idempotencyKey ? -1 : 1,
      );
      return {
        client: 'default',
        transactions,
        rows: planRows(newTransactionId(nowMs), () => 1, transactions),
      };
    });
  };
}
