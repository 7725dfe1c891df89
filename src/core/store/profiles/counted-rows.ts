/**
 * Tells which rows a profile is sure to have counted. The tallies of a merchant have no ids, but the rebuild that made the profile read
 * every row that database transactions before its mark had stored (profile-snapshots.ts).
 */
import { textArray, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import type { Position } from '../../domain/history.ts';

/** A stored transaction, and the mark of the profile that it lies behind. */
export type BehindRow = { readonly row: Position; readonly countedTo: number };

/** A mark ahead of the server's own ids is another server's. The limit keeps it a lookup a row. */
const statement: Statement = {
  name: 'find-counted-rows',
  text: `
    select p.n::int as n
      from unnest($1::uuid[], $2::timestamptz[], $3::text[]) with ordinality as p (id, at, counted_to, n)
     cross join lateral (
       select t.inserted_xid from market.transactions t
        where t.transaction_id = p.id and t.created_at = p.at limit 1) r
     where (r.inserted_xid < p.counted_to::xid8) is true
       and p.counted_to::xid8 between '1' and pg_snapshot_xmax(pg_current_snapshot())`,
};

/** Tells of each row whether the profile has counted the row; false where nobody knows. */
export async function areCounted(query: Query, rows: readonly BehindRow[]): Promise<boolean[]> {
  const found = await query<{ n: number }>(statement, [
    uuidArray(rows.map(({ row }) => row.transactionId)),
    timestampArray(rows.map(({ row }) => row.createdAtMs)),
    textArray(rows.map(({ countedTo }) => String(countedTo))),
  ]);
  const counted = new Set(found.map(({ n }) => n));
  return rows.map((_, index) => counted.has(index + 1));
}
