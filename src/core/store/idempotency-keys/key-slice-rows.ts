/**
 * The slices of idempotency_keys in Postgres. One is open and takes keys; sealed ones take none and are dropped
 * whole. Sealing waits until open writes into the slice have committed, and nobody learns of the next slice
 * before, so a claim that names the open slice can see every key of the sealed ones.
 */

import { uuidOffset } from '../../../kit/database/binary-array.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { lockWait, rowsOf } from '../../../kit/database/statement.ts';
import { FIRST_ID } from '../../../kit/words/cursor.ts';

/**
 * The digests of several keys, in their order: a `uuid[]` as Postgres takes it, which the filters read in
 * place.
 */
export type KeyDigests = { readonly array: Buffer; readonly count: number };

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

/** The open slice, then the sealed ones, newest first. */
export const listKeySlices = rowsOf<Slice>(
  'list-key-slices',
  `select slice, opened_at as "openedAt", sealed_at as "sealedAt",
                coalesce(pg_relation_size(to_regclass('market.idempotency_keys_' || slice)), 0)::float8 as bytes
           from market.idempotency_slices
          order by sealed_at desc nulls first`,
);

/** Bytes of a digest that the filter uses: 4 choose the block, 4 and 4 three bits of it each. */
export const PREFIX_BYTES = 12;
const BITS_EACH_KEY = 20;
const BLOCK_WORDS = 16;
const BLOCK_BITS = 512;

export type KeyFilter = ReturnType<typeof createKeyFilter>;

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
  let after = FIRST_ID;
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

/**
 * Tells for most keys, from memory, that no sealed slice holds them: a Bloom filter in blocks of 64 bytes, so
 * that a key costs one cache miss however many slices the filter covers. A digest that was added is always
 * found; another one is a false positive in about 1 of 2,000 cases, and is then looked up. 20 bits a key.
 */
export function filterBytes(keys: number): number {
  return blocksFor(keys) * BLOCK_WORDS * 4;
}

/** The most keys that a filter of this many bytes is made for. */
export function filterKeys(bytes: number): number {
  return Math.floor((bytes * 8) / BITS_EACH_KEY);
}

/** @param keysMax beyond it false positives become more frequent */
export function createKeyFilter(keysMax: number) {
  const blocks = blocksFor(keysMax);
  const words = new Uint32Array(blocks * BLOCK_WORDS);
  const blockOf = (choice: number) => Math.floor((choice * blocks) / 2 ** 32) * BLOCK_WORDS;
  return {
    bytes: words.byteLength,
    /** @param prefixes of digests, PREFIX_BYTES each */
    add(prefixes: Buffer): void {
      for (let at = 0; at < prefixes.length; at += PREFIX_BYTES) {
        const block = blockOf(prefixes.readUInt32BE(at));
        for (const bits of [prefixes.readUInt32BE(at + 4), prefixes.readUInt32BE(at + 8)]) {
          for (let shift = 0; shift < 27; shift += 9) {
            const bit = (bits >>> shift) & (BLOCK_BITS - 1);
            const word = block + (bit >>> 5);
            words[word] = (words[word] as number) | (1 << (bit & 31));
          }
        }
      }
    },
    /** Marks the positions whose keys may have been added; returns whether there was any. */
    mark({ array, count }: KeyDigests, marks: Uint8Array): boolean {
      const view = new DataView(array.buffer, array.byteOffset, array.byteLength);
      let isAny = false;
      for (let position = 0; position < count; position++) {
        const offset = uuidOffset(position);
        const block = blockOf(view.getUint32(offset));
        if (!holds(words, block, view.getUint32(offset + 4))) continue;
        if (!holds(words, block, view.getUint32(offset + 8))) continue;
        marks[position] = 1;
        isAny = true;
      }
      return isAny;
    },
  };
}

/** Whether the three bits are set that 27 of 32 bits choose. */
function holds(words: Uint32Array, block: number, bits: number): boolean {
  return (
    isSet(words, block, bits & 511) &&
    isSet(words, block, (bits >>> 9) & 511) &&
    isSet(words, block, (bits >>> 18) & 511)
  );
}

function isSet(words: Uint32Array, block: number, bit: number): boolean {
  return (((words[block + (bit >>> 5)] as number) >>> (bit & 31)) & 1) === 1;
}

function blocksFor(keys: number): number {
  return Math.max(1, Math.ceil((keys * BITS_EACH_KEY) / BLOCK_BITS));
}
