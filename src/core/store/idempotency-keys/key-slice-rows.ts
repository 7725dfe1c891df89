/**
 * The slices of idempotency_keys in Postgres. One is open and takes keys; sealed ones take none and are dropped
 * whole. Sealing waits until open writes into the slice have committed, and nobody learns of the next slice
 * before, so a claim that names the open slice can see every key of the sealed ones.
 */
import type { Database, Query } from '../../../kit/database/pool.ts';
import { lockWait } from '../../../kit/database/statement.ts';
import { PREFIX_BYTES } from './key-filter.ts';

export type Slice = {
  readonly slice: number;
  readonly openedAt: Date;
  /** Null while it takes keys. None of its keys is younger. */
  readonly sealedAt: Date | null;
  /** Bytes of its rows, without the index. */
  readonly bytes: number;
};

/** How long sealing and dropping wait for open writes; claims queue behind them meanwhile. */
const LOCK_WAIT_MS = 250;
const PAGE_KEYS = 20_000;

const listSlices = {
  name: 'list-key-slices',
  text: `select slice, opened_at as "openedAt", sealed_at as "sealedAt",
                coalesce(pg_relation_size(to_regclass('market.idempotency_keys_' || slice)), 0)::float8 as bytes
           from market.idempotency_slices
          order by sealed_at desc nulls first`,
};

/** The open slice, then the sealed ones, newest first. */
export async function listKeySlices(query: Query): Promise<Slice[]> {
  return await query<Slice>(listSlices);
}

const lockOpenSlice = {
  name: 'lock-open-key-slice',
  text: 'select 1 from market.idempotency_slices where slice = $1 and sealed_at is null for update',
};
const seal = { name: 'seal-key-slice', text: 'select market.seal_idempotency_slice($1)' };
const open = { name: 'open-key-slice', text: 'select market.open_idempotency_slice()' };

/** False when it is no longer the open slice. Throws when the open writes into it do not end in time. */
export async function sealKeySlice(
  database: Pick<Database, 'transaction'>,
  slice: number,
): Promise<boolean> {
  return await database.transaction(async (query) => {
    await query(lockWait(LOCK_WAIT_MS));
    if ((await query(lockOpenSlice, [slice])).length === 0) return false;
    await query(seal, [slice]);
    await query(open);
    return true;
  });
}

const forgetSlice = {
  name: 'forget-key-slice',
  text: 'delete from market.idempotency_slices where slice = $1 and sealed_at < $2 returning slice',
};

/** Forgets all keys of a slice that was sealed before a time; false when there is no such slice. */
export async function dropKeySlice(
  database: Pick<Database, 'transaction'>,
  slice: number,
  before: Date,
): Promise<boolean> {
  return await database.transaction(async (query) => {
    await query(lockWait(LOCK_WAIT_MS));
    if ((await query(forgetSlice, [slice, before])).length === 0) return false;
    await query({ text: `drop table ${tableOf(slice)}` });
    return true;
  });
}

/** The prefixes of a sealed slice's digests, in their order. An index-only scan, once autovacuum has run. */
export async function* readKeyPrefixes(query: Query, slice: number): AsyncGenerator<Buffer> {
  const page = {
    text: `select string_agg(substring(uuid_send(digest) for ${PREFIX_BYTES}), ''::bytea order by digest) as prefixes,
                  max(digest::text collate "C") as last
             from (select digest from ${tableOf(slice)} where digest > $1::uuid order by digest limit ${PAGE_KEYS}) page`,
  };
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const [row] = await query<{ prefixes: Buffer | null; last: string }>(page, [after]);
    if (row === undefined || row.prefixes === null) return;
    yield row.prefixes;
    after = row.last;
  }
}

/** A slice's number comes from the database, never from input, so it is safe in a name. */
function tableOf(slice: number): string {
  return `market.idempotency_keys_${Number(slice)}`;
}
