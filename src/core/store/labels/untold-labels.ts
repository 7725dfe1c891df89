/**
 * Labels that are committed, but of which the profiles may not know. A request adds a row with its labels, and deletes the row once the
 * profiles are invalidated; a worker does both for rows that stay.
 */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { IDS, type Ids, openOutbox } from '../../../kit/outbox/outbox.ts';

/** Transactions whose profiles are invalidated together: single labels arrive by the thousand a second. */
const STEP_TRANSACTIONS = 1000;

/** @param ageMs a younger request may still invalidate the profiles itself */
export const openUntold = (ageMs: number) =>
  openOutbox<Ids>({
    ...{ name: 'labels', columns: IDS, ageMs },
    ...{ rowsMax: STEP_TRANSACTIONS, weightMax: STEP_TRANSACTIONS },
  });

const add = onlyOf<{ rowId: string }, [transactionIds: Buffer]>(
  'add-untold-labels',
  `insert into market.outbox_labels (transaction_ids) values ($1::uuid[]) returning row_id as "rowId"`,
);

/** @returns the id of the row; undefined without labels */
export async function addUntold(query: Query, ids: readonly string[]): Promise<string | undefined> {
  return ids.length === 0 ? undefined : (await add(query, uuidArray(ids))).rowId;
}

export const removeUntold = rowsOf<object, [rowId: string]>(
  'remove-untold-labels',
  'delete from market.outbox_labels where row_id = $1',
);
