/** Notes and small files that reviewers add to a case. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { AuditAction, Change } from '../../../kit/words/audit.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import { CASE_LIMITS, type FileInput } from '../case.ts';
import { countNotes, insertFile, insertNote } from '../store/notes.ts';
import { lockKnown } from './lock-known.ts';

type Added = { readonly note_id: string };

/** Each function throws a Failure: `not-found`, or `conflict` where the case has all the notes that it may have. */
export function createNoting(database: Pick<Database, 'transaction'>) {
  return {
    note: (id: string, note: string, by: Officer): Promise<Added> =>
      addTo(database, id, async (query) => {
        const noteId = await insertNote(query, id, by.name, note);
        await recordChange(query, by, added('case.note', id, { noteId, note }));
        return { note_id: noteId };
      }),
    attach: async (id: string, file: FileInput, by: Officer): Promise<Added> => {
      const bytes = Buffer.from(file.content, 'base64');
      if (bytes.byteLength > CASE_LIMITS.fileBytes) {
        const detail = `must be base64 of at most ${CASE_LIMITS.fileBytes} bytes, not ${bytes.byteLength}`;
        throw new InvalidFields([{ pointer: '/content', detail }]);
      }
      const { file_name: name, file_type: type } = file;
      return await addTo(database, id, async (query) => {
        const noteId = await insertFile(query, id, by.name, { name, type, bytes });
        const after = { noteId, fileName: name, fileType: type, fileBytes: bytes.byteLength };
        await recordChange(query, by, added('case.attach', id, after));
        return { note_id: noteId };
      });
    },
  };
}

/** Notes are bounded: a case is no archive. */
async function addTo<T>(
  database: Pick<Database, 'transaction'>,
  id: string,
  add: (query: Query) => Promise<T>,
): Promise<T> {
  return await database.transaction(async (query) => {
    await lockKnown(query, id);
    if ((await countNotes(query, id)) >= CASE_LIMITS.shownRows) {
      const why = `the case has ${CASE_LIMITS.shownRows} notes and files, the most that is allowed`;
      throw new Failure('conflict', 'CASE_FULL', why);
    }
    return await add(query);
  });
}

const added = (action: AuditAction, subject: string, after: object): Change => ({
  ...{ action, subject, before: null, after },
});
