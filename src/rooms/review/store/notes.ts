/** Notes and attached files of cases, and what was done with a case, from the audit log. */
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';

const noteStatement: Statement = {
  name: 'insert-review-note',
  text: `insert into market.review_notes (transaction_id, written_by, note) values ($1, $2, $3)
         returning note_id as "noteId"`,
};
const fileStatement: Statement = {
  name: 'insert-review-file',
  text: `insert into market.review_notes (transaction_id, written_by, file_name, file_type, file)
         values ($1, $2, $3, $4, $5) returning note_id as "noteId"`,
};

type Inserted = { readonly noteId: string };

/** @returns the id of the note */
export async function insertNote(
  query: Query,
  transactionId: string,
  by: string,
  note: string,
): Promise<string> {
  const [row] = await query<Inserted>(noteStatement, [transactionId, by, note]);
  return row?.noteId ?? '';
}

export type NewFile = { readonly name: string; readonly type: string; readonly bytes: Buffer };

/** @returns the id of the file */
export async function insertFile(
  query: Query,
  transactionId: string,
  by: string,
  { name, type, bytes }: NewFile,
): Promise<string> {
  const [row] = await query<Inserted>(fileStatement, [transactionId, by, name, type, bytes]);
  return row?.noteId ?? '';
}

const countStatement: Statement = {
  name: 'count-review-notes',
  text: 'select count(*)::int4 as rows from market.review_notes where transaction_id = $1',
};

/** Notes and files of a case together. */
export async function countNotes(query: Query, transactionId: string): Promise<number> {
  return (await query<{ rows: number }>(countStatement, [transactionId]))[0]?.rows ?? 0;
}

export type StoredNote = {
  readonly noteId: string;
  readonly writtenAt: Date;
  readonly writtenBy: string;
  readonly note: string | null;
  readonly fileName: string | null;
  readonly fileType: string | null;
  readonly fileBytes: number | null;
};

const listStatement: Statement = {
  name: 'list-review-notes',
  text: `select note_id as "noteId", written_at as "writtenAt", written_by as "writtenBy", note, file_name as "fileName",
                file_type as "fileType", octet_length(file) as "fileBytes"
           from market.review_notes where transaction_id = $1 order by note_id limit $2`,
};

/** Oldest first, files without their bytes. */
export async function listNotes(
  { query }: Pick<Database, 'query'>,
  transactionId: string,
  rowsMax: number,
): Promise<StoredNote[]> {
  return await query<StoredNote>(listStatement, [transactionId, rowsMax]);
}

const readFileStatement: Statement = {
  name: 'read-review-file',
  text: `select file_name as name, file_type as type, file as bytes from market.review_notes
          where transaction_id = $1 and note_id = $2 and file is not null`,
};

export async function readFile(
  { query }: Pick<Database, 'query'>,
  transactionId: string,
  noteId: string,
): Promise<NewFile | undefined> {
  return (await query<NewFile>(readFileStatement, [transactionId, noteId]))[0];
}

export type CaseChange = {
  readonly changedAt: Date;
  readonly who: string;
  readonly action: string;
  readonly after: object | null;
};

// Written as the index has it.
const historyStatement: Statement = {
  name: 'read-case-history',
  text: `select changed_at as "changedAt", who, action, after from market.audit_log
          where subject = $1 and action like 'case.%' order by audit_id desc limit $2`,
};

/** What was done with a case, newest first. */
export async function readCaseHistory(
  { query }: Pick<Database, 'query'>,
  transactionId: string,
  rowsMax: number,
): Promise<CaseChange[]> {
  return await query<CaseChange>(historyStatement, [transactionId, rowsMax]);
}
