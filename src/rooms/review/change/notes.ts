/** Notes and small files that reviewers add to a case. */
import { z } from 'zod';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { AuditAction } from '../../../kit/words/audit.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import { CASE_LIMITS } from '../case.ts';
import { countNotes, insertNote } from '../store/notes.ts';
import { lockKnown } from './steps.ts';

/** Text of several lines. */
const lines = z
  .string()
  .min(1)
  .max(CASE_LIMITS.noteChars)
  .refine(
    (text) => !text.includes('\u0000') && text.isWellFormed(),
    'must be well-formed text without U+0000',
  );

/** `POST /v1/reviews/{id}/notes` */
export const noteSchema = z.strictObject({ note: lines }).meta({ id: 'CaseNote' });

const BASE64_CHARS_MAX = Math.ceil(CASE_LIMITS.fileBytes / 3) * 4;

/** `POST /v1/reviews/{id}/files` */
export const fileSchema = z
  .strictObject({
    file_name: plainText(CASE_LIMITS.fileNameChars).meta({ example: 'receipt.png' }),
    file_type: z
      .string()
      .regex(/^[a-z]+\/[a-z0-9.+-]{1,64}$/, 'must be a media type, as image/png')
      .meta({ example: 'image/png' }),
    content: z
      .base64('must be base64')
      .min(4)
      .max(BASE64_CHARS_MAX)
      .meta({ description: `Base64 of at most ${CASE_LIMITS.fileBytes} bytes.` }),
  })
  .meta({ id: 'CaseFile' });

/** @throws Failure `not-found`, or `conflict` where the case has all the notes that it may have */
export async function addNote(
  database: Pick<Database, 'transaction'>,
  id: string,
  { note }: z.infer<typeof noteSchema>,
  by: Officer,
): Promise<AddedNote> {
  return await add(database, 'case.note', id, by, note, { note });
}

/** @throws Failure `not-found`, or `conflict` where the case has all the files that it may have */
export async function attachFile(
  database: Pick<Database, 'transaction'>,
  id: string,
  { file_name: name, file_type: type, content }: z.infer<typeof fileSchema>,
  by: Officer,
): Promise<AddedNote> {
  const bytes = Buffer.from(content, 'base64');
  const fileBytes = bytes.byteLength;
  if (fileBytes > CASE_LIMITS.fileBytes) {
    const detail = `must be base64 of at most ${CASE_LIMITS.fileBytes} bytes, not ${fileBytes}`;
    throw new InvalidFields([{ pointer: '/content', detail }]);
  }
  const shown = { fileName: name, fileType: type, fileBytes };
  return await add(database, 'case.attach', id, by, { name, type, bytes }, shown);
}

type AddedNote = { readonly note_id: string };

/** A case is no archive, so the number of its notes and files is bounded. */
async function add(
  database: Pick<Database, 'transaction'>,
  action: AuditAction,
  subject: string,
  by: Officer,
  note: Parameters<typeof insertNote>[3],
  shown: object,
): Promise<AddedNote> {
  return await database.transaction(async (query) => {
    await lockKnown(query, subject);
    const { rows } = await countNotes(query, subject);
    if (rows >= CASE_LIMITS.shownRows) {
      const why = `the case has ${CASE_LIMITS.shownRows} notes and files, the most that is allowed`;
      throw new Failure('conflict', 'CASE_FULL', why);
    }
    const noteId = await insertNote(query, subject, by.name, note);
    await recordChange(query, by, { action, subject, before: null, after: { noteId, ...shown } });
    return { note_id: noteId };
  });
}
