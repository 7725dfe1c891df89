/** Scores in a real Postgres, stored as workers store them, and sealed. */
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import type { SigningKey } from '../../src/rooms/evidence/log/checkpoint.ts';
import type { CheckpointBucket } from '../../src/rooms/evidence/seal/bucket.ts';
import { createSealer } from '../../src/rooms/evidence/seal/duty.ts';
import { addUnsealed } from '../../src/rooms/evidence/store/unsealed.ts';
import { insertScores } from '../../test/support/insert-scores.ts';
import { MONTH_LOAD } from './load.ts';
import { madeBatches } from './made-rows.ts';
import { scoresOf } from './made-scores.ts';
import { MARKET } from './market.ts';
import { type ServicesOptions, startServices } from './services.ts';

/** A pool as an engine has it, to services of a bench. */
export const openMarketPool = (url: string) =>
  openPool({
    ...{ url, market: MARKET, role: 'bench', connectionsMax: 2, namedStatements: true },
    ...{ connectTimeoutMs: 10_000, statementTimeoutMs: 60_000 },
  });

type Sealing = {
  readonly origin: string;
  readonly keys: readonly SigningKey[];
  readonly path: string;
  readonly bucket?: CheckpointBucket | undefined;
  readonly scores: number;
};

export async function storeSealed(
  options: ServicesOptions,
  { origin, keys, path, bucket, scores }: Sealing,
) {
  await using opened = new AsyncDisposableStack();
  const services = opened.use(await startServices(options));
  const database = opened.use(openMarketPool(services.databaseUrl));
  const endMs = Date.now();
  await ensurePartitions(database, [monthOf(endMs), monthOf(endMs) - 1]);
  const { log } = options;
  const sealer = createSealer({ database, origin, keys, path, bucket, checkpointMs: 0, log });
  await sealer.run(endMs);
  const load = { ...MONTH_LOAD, batch: 100, transactions: scores, days: 1, endMs };
  const ids: string[] = [];
  for (const batch of madeBatches(load)) {
    await insertScores(database, scoresOf(batch), Date.now(), [addUnsealed(true)]);
    ids.push(...batch.transactions.map(({ transactionId }) => transactionId));
  }
  for (let mayHaveMore = true; mayHaveMore; ) ({ mayHaveMore } = await sealer.run(Date.now()));
  const owned = opened.move();
  return { database, sealer, ids, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
