/** Notes of cases, and what was done with a case, from the audit log. */
import { onlyOf, rowsOf, timeColumns } from '../../../kit/database/statement.ts';
import type { CaseChange, CaseNote } from '../case.ts';

export const insertNote = onlyOf<
  Pick<CaseNote, 'note_id'>,
  [transactionId: string, by: string, note: string]
>(
  'insert-review-note',
  `insert into market.review_notes (transaction_id, written_by, note) values ($1, $2, $3) returning note_id`,
);

export const countNotes = onlyOf<{ rows: number }, [transactionId: string]>(
  'count-review-notes',
  'select count(*)::int4 as rows from market.review_notes where transaction_id = $1',
);

/** Oldest first. */
export const listNotes = rowsOf<CaseNote, [transactionId: string, rowsMax: number]>(
  'list-review-notes',
  `select n.note_id, ${timeColumns('n', 'written_at')}, n.written_by, n.note
           from market.review_notes n where n.transaction_id = $1 order by n.note_id limit $2`,
);

// Written as the index has it.
/** Changes of a case, newest first. */
export const readCaseHistory = rowsOf<CaseChange, [transactionId: string, rowsMax: number]>(
  'read-case-history',
  `select ${timeColumns('a', 'changed_at')}, a.who, a.action, a.after from market.audit_log a
          where a.subject = $1 and a.action like 'case.%' order by a.audit_id desc limit $2`,
);
