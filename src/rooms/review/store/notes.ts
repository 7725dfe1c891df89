/** Notes and attached files of cases, and what was done with a case, from the audit log. */
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { timeColumns } from '../../../kit/database/time-text.ts';
import type { CaseChange, CaseFile, CaseNote } from '../case-detail.ts';

const insertStatement: Statement = {
  name: 'insert-review-note',
  text: `insert into market.review_notes (transaction_id, written_by, note, file_name, file_type, file)
         values ($1, $2, $3, $4, $5, $6) returning note_id`,
};

type NewFile = { readonly name: string; readonly type: string; readonly bytes: Buffer };

/** Adds a note, or a file. @returns its id */
export async function insertNote(
  query: Query,
  transactionId: string,
  by: string,
  note: string | NewFile,
): Promise<string> {
  const columns =
    typeof note === 'string' ? [note, null, null, null] : [null, note.name, note.type, note.bytes];
  const values = [transactionId, by, ...columns];
  return (await query<{ note_id: string }>(insertStatement, values))[0]?.note_id ?? '';
}

/** Notes and files of a case together. */
export const countNotes = onlyOf<{ rows: number }, [transactionId: string]>(
  'count-review-notes',
  'select count(*)::int4 as rows from market.review_notes where transaction_id = $1',
);

/** Oldest first, files without their bytes. */
export const listNotes = rowsOf<CaseNote, [transactionId: string, rowsMax: number]>(
  'list-review-notes',
  `select n.note_id, ${timeColumns('n', 'written_at')}, n.written_by, n.note, n.file_name, n.file_type,
                octet_length(n.file) as file_bytes
           from market.review_notes n where n.transaction_id = $1 order by n.note_id limit $2`,
);

const readFileStatement: Statement = {
  name: 'read-review-file',
  text: `select file_name, file_type, file from market.review_notes
          where transaction_id = $1 and note_id = $2 and file is not null`,
};

export async function readFile(
  query: Query,
  transactionId: string,
  noteId: string,
): Promise<CaseFile | undefined> {
  type Row = Omit<CaseFile, 'content'> & { readonly file: Buffer };
  const [row] = await query<Row>(readFileStatement, [transactionId, noteId]);
  if (row === undefined) return undefined;
  const { file, ...named } = row;
  return { ...named, content: file.toString('base64') };
}

// Written as the index has it.
/** Changes of a case, newest first. */
export const readCaseHistory = rowsOf<CaseChange, [transactionId: string, rowsMax: number]>(
  'read-case-history',
  `select ${timeColumns('a', 'changed_at')}, a.who, a.action, a.after from market.audit_log a
          where a.subject = $1 and a.action like 'case.%' order by a.audit_id desc limit $2`,
);
