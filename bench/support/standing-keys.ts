/** Markets for claims: one without a key, and one with many, in slices as the duty would have made them. */
import {
  listKeySlices,
  sealKeySlice,
} from '../../src/core/store/idempotency-keys/key-slice-rows.ts';
import {
  createKeySlices,
  type KeySlices,
} from '../../src/core/store/idempotency-keys/key-slices.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { type Database, openPool } from '../../src/kit/database/pool.ts';
import { MARKET } from './market.ts';
import type { Services } from './services.ts';

/** The keys of a slice when the duty seals the slice for its size. */
export const SLICE_KEYS = 2_000_000;
const CHUNK_KEYS = 250_000;
const TIMEOUT_MS = 600_000;
/** Room for the filters of 200 million keys. */
const FILTER_BYTES_MAX = 500 * 2 ** 20;

export type KeyMarket = {
  readonly database: Database;
  readonly slices: KeySlices;
  [Symbol.asyncDispose](): Promise<void>;
};

export type StandingMarket = KeyMarket & {
  /** The same slices, known without filters. */
  readonly unfiltered: KeySlices;
  readonly filterBytes: () => number;
  /** How long an API process takes to load the slices after its start. */
  readonly filterSeconds: number;
  /** Size of all keys with their indexes. */
  readonly keyBytes: number;
  readonly sliceCount: number;
};

/** @param name of a database of its own: the services' own is left alone */
export async function openMarket(
  { databaseUrl, database }: Services,
  name: string,
): Promise<Database> {
  await database.query(`create database ${name}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  await migrate({ url: url.href, market: MARKET, corridors: [] });
  return openPool({
    ...{ url: url.href, market: MARKET, role: 'bench', connectionsMax: 4, namedStatements: true },
    ...{ connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS },
  });
}

function openSlices(database: Database, bytesMax: number, onBytes: (bytes: number) => void) {
  return createKeySlices(database, {
    bytesMax,
    nowMs: () => performance.now(),
    report: ({ filterBytes }) => onBytes(filterBytes),
  });
}

export async function openEmptyMarket(services: Services): Promise<KeyMarket> {
  const database = await openMarket(services, 'bench_empty');
  const slices = openSlices(database, FILTER_BYTES_MAX, () => undefined);
  return { database, slices, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

/** The open slice is half full, or holds half of the keys where they are few. */
export async function openStandingMarket(
  services: Services,
  keys: number,
  onProgress: (text: string) => void,
): Promise<StandingMarket> {
  const database = await openMarket(services, 'bench_standing');
  const inOpen = Math.min(SLICE_KEYS / 2, Math.floor(keys / 2));
  for (let left = keys; left > 0; ) {
    const target = left > inOpen ? Math.min(SLICE_KEYS, left - inOpen) : left;
    await fillOpenSlice(database, target);
    left -= target;
    onProgress(`${keys - left} of ${keys} keys`);
    if (left > 0) await sealKeySlice(database, await openSliceOf(database));
  }
  let filterBytes = 0;
  const slices = openSlices(database, FILTER_BYTES_MAX, (bytes) => {
    filterBytes = bytes;
  });
  const began = performance.now();
  await slices.refresh();
  await slices.filtered();
  const filterSeconds = (performance.now() - began) / 1000;
  const [size] = await database.query<{ bytes: number; slices: number }>({
    text: `select sum(pg_total_relation_size(inhrelid))::float8 as bytes, count(*)::int as slices
             from pg_inherits where inhparent = 'market.idempotency_keys'::regclass`,
  });
  return {
    ...{ database, slices, filterBytes: () => filterBytes, filterSeconds },
    unfiltered: openSlices(database, 0, () => undefined),
    keyBytes: size?.bytes ?? 0,
    sliceCount: size?.slices ?? 0,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function openSliceOf(database: Database): Promise<number> {
  const [open] = await listKeySlices(database.query);
  if (open === undefined) throw new Error('no slice is open');
  return open.slice;
}

async function fillOpenSlice(database: Database, keys: number): Promise<void> {
  const slice = await openSliceOf(database);
  const fill = {
    name: 'fill-slice',
    text: `insert into market.idempotency_keys
           select $1::int, gen_random_uuid(), gen_random_uuid(), gen_random_uuid() from generate_series(1, $2::int)`,
  };
  for (let left = keys; left > 0; left -= CHUNK_KEYS) {
    await database.query(fill, [slice, Math.min(left, CHUNK_KEYS)]);
  }
  await database.query({ text: `vacuum analyze market.idempotency_keys_${slice}` });
}
