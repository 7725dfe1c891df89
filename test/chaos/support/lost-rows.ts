/** Open rows that no entry and no retry carries: only the reconciler brings them back. */
import { findLost, type SoughtRow } from '../../../src/core/repair/walk-rows.ts';
import { createHeadReader } from '../../../src/core/stream/status/heads.ts';
import { allStreams, type Sessions } from './streams.ts';

/** Rows of an age at which a healthy API has appended them; no entry carries those on hold. */
export async function listOldRows(
  stores: Sessions,
  seconds: number,
): Promise<readonly SoughtRow[]> {
  return await stores.query<SoughtRow>(
    `select row_id as "rowId", extract(epoch from opened_at)::float8 * 1000 as "openedAtMs"
       from open_rows where not is_left and not is_on_hold and opened_at < now() - interval '${seconds} s'`,
  );
}

/** Finds which of these rows are nowhere in Redis. */
export async function findLostOf(
  stores: Sessions,
  rows: readonly SoughtRow[],
): Promise<readonly SoughtRow[]> {
  if (rows.length === 0) return [];
  return await findLost(createHeadReader(stores.client), await allStreams(stores), rows);
}
