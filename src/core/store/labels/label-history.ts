/** The labels of one transaction. */
import type { Database } from '../../../kit/database/pool.ts';
import { rowsOf, timeColumns } from '../../../kit/database/statement.ts';
import type { LabelJson } from '../../domain/label.ts';
import { isoTime } from '../partitions/month-slice.ts';

/** The columns of a LabelJson; `l` is the row of labels. */
export const LABEL_COLUMNS = `l.transaction_id, l.account_id, l.merchant_id, l.label, l.source, l.client, l.identity, l.note,
  ${timeColumns('l', 'created_at', 'labelled_at', 'received_at')}`;

const readHistory = rowsOf<LabelJson, [id: string, createdAt: string, rowsMax: number]>(
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
