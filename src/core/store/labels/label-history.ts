/** The labels of one transaction. */
import type { Database } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import type { StoredLabel } from '../../domain/label.ts';
import { isoTime } from '../partitions/month-slice.ts';

/** The columns of a StoredLabel; `l` is the row of labels. */
export const LABEL_COLUMNS = `l.transaction_id as "transactionId", l.created_at as "createdAt", l.account_id as "accountId",
  l.merchant_id as "merchantId", l.label, l.labelled_at as "labelledAt", l.source, l.received_at as "receivedAt",
  l.client, l.identity, l.note`;

const readHistory = rowsOf<StoredLabel, [id: string, createdAt: string, rowsMax: number]>(
  'read-label-history',
  `select ${LABEL_COLUMNS} from (select * from market.labels l where l.transaction_id = $1 and l.created_at = $2
                                 order by l.labelled_at desc, l.label, l.source limit $3) l
          order by l.labelled_at, l.label desc, l.source desc`,
);

/** Labels of a transaction, oldest first, so that the last one is current; of more than `rowsMax` the newest. */
export const readStoredHistory = (
  { query }: Pick<Database, 'query'>,
  transactionId: string,
  createdAtMs: number,
  rowsMax: number,
) => readHistory(query, transactionId, isoTime(createdAtMs), rowsMax);
