/** Notes that reviewers add to a case. */
import { z } from 'zod';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
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

/**
 * A case is no archive, so the number of its notes is bounded.
 * @throws Failure `not-found`, or `conflict` where the case has all the notes that it may have
 */
export async function addNote(
  database: Pick<Database, 'transaction'>,
  subject: string,
  { note }: z.infer<typeof noteSchema>,
  by: Officer,
): Promise<{ note_id: string }> {
  return await database.transaction(async (query) => {
    await lockKnown(query, subject);
    const { rows } = await countNotes(query, subject);
    if (rows >= CASE_LIMITS.shownRows) {
      const why = `the case has ${CASE_LIMITS.shownRows} notes, the most that is allowed`;
      throw new Failure('conflict', 'CASE_FULL', why);
    }
    const { note_id } = await insertNote(query, subject, by.name, note);
    const after = { noteId: note_id, note };
    await recordChange(query, by, { action: 'case.note', subject, before: null, after });
    return { note_id };
  });
}
