/**
 * The investigation of a control: its notes, and the earlier controls of the kind and scope. The audit log has all of these, and
 * nobody changes or deletes its rows.
 */
import { z } from 'zod';
import { nameOf } from '../../core/domain/control.ts';
import type { Kind } from '../../core/domain/control-kinds.ts';
import type { Api } from '../../core/room.ts';
import { lockControl } from '../../core/store/controls/controls.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { answer, bodyOf, change, list } from '../../kit/http/operation.ts';
import { Failure } from '../../kit/words/failure.ts';
import { countedPage, pageLimit } from '../../kit/words/list-parameters.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { controlPath } from './control-routes.ts';
import { checkScope } from './control-scopes.ts';

const NOTE_CHARS_MAX = 4000;
/** Notes of one control: an answer has all of them, 800 kB at most. */
const NOTES_MAX = 200;
/** Controls of one answer: with more, their notes could be 16 MB. */
const RECORDS_MAX = 20;

const noteCommandSchema = z
  .strictObject({
    note: plainText(NOTE_CHARS_MAX).meta({ description: 'What was found, asked or done.' }),
    began_at: wireTime.optional().meta({
      description: 'When the harm began, as the investigation has found: `GET /v1/incidents`.',
    }),
  })
  .meta({ id: 'ControlNoteCommand' });

const pageParameters = z.strictObject({
  limit: pageLimit
    .transform((limit) => Math.min(limit, RECORDS_MAX))
    .meta({ description: `Most controls of a page; above ${RECORDS_MAX}: ${RECORDS_MAX}.` }),
  cursor: countedPage.cursor,
});

const recordSchema = z
  .object({
    control_id: z
      .string()
      .meta({ description: 'Row of the control in the audit log; newer ids are higher.' }),
    set_at: z.iso.datetime(),
    set_by: z.string(),
    reason: z.string(),
    message: z.string().nullable(),
    ended_at: z.iso.datetime().nullable().meta({ description: 'Null: nobody has ended it.' }),
    ended_by: z.string().nullable(),
    end_reason: z.string().nullable(),
    notes: z
      .array(
        z.object({
          at: z.iso.datetime(),
          by: z.string(),
          note: z.string(),
          began_at: z.string().nullable(),
        }),
      )
      .meta({ description: `Oldest first, ${NOTES_MAX} at most.` }),
  })
  .meta({ id: 'ControlRecord' });
type ControlRecord = z.infer<typeof recordSchema>;

const selectRecords = rowsOf<ControlRecord, [name: string, before: string | null, rowsMax: number]>(
  'list-control-records',
  `select f.audit_id::text as control_id, ${timeText('f.changed_at')} as set_at, f.who as set_by,
          f.after ->> 'reason' as reason, f.after ->> 'message' as message, ${timeText('r.changed_at')} as ended_at,
          r.who as ended_by, r.after ->> 'reason' as end_reason, n.notes
     from (select * from market.audit_log
            where action = 'control.set' and subject = $1 and ($2::bigint is null or audit_id < $2)
            order by audit_id desc limit $3) f
    cross join lateral (select min(audit_id) as audit_id from market.audit_log
                         where action in ('control.set', 'control.end') and subject = $1 and audit_id > f.audit_id) next
     left join market.audit_log r on r.audit_id = next.audit_id and r.action = 'control.end'
    cross join lateral (select coalesce(jsonb_agg(jsonb_build_object('at', ${timeText('changed_at')}, 'by', who,
                                                                     'note', after ->> 'note', 'began_at', after ->> 'began_at') order by audit_id), '[]') as notes
                          from market.audit_log
                         where action = 'control.note' and subject = $1 and audit_id > f.audit_id
                           and (next.audit_id is null or audit_id < next.audit_id)) n
    order by f.audit_id desc`,
);

type Named = { readonly kind: Kind; readonly scope: string };

const countNotes = onlyOf<{ notes: number }, [name: string]>(
  'count-control-notes',
  `select count(*)::int4 as notes from market.audit_log
    where action = 'control.note' and subject = $1
      and audit_id > (select max(audit_id) from market.audit_log where action = 'control.set' and subject = $1)`,
);

/**
 * Notes are counted one after the other, and nobody ends the control between.
 * @throws Failure where the scope has no control of its own of the kind, or the control has as many notes as it may have
 */
async function addNote(
  database: Pick<Database, 'transaction'>,
  { kind, scope }: Named,
  said: z.output<typeof noteCommandSchema>,
  by: Officer,
): Promise<ControlRecord> {
  const name = nameOf({ kind, scope });
  return await database.transaction(async (query) => {
    if ((await lockControl(query, kind, scope)) === undefined) {
      const why = `a note belongs to a control in force, and ${scope} itself has no ${kind}`;
      throw new Failure('conflict', 'NOT_IN_FORCE', why);
    }
    if ((await countNotes(query, name)).notes >= NOTES_MAX) {
      throw new Failure('conflict', 'NOTES_FULL', `${name} has ${NOTES_MAX} notes already`);
    }
    const noted = { action: 'control.note', subject: name, before: null, after: said } as const;
    await recordChange(query, by, noted);
    const [record] = await selectRecords(query, name, null, 1);
    if (record === undefined) throw new Error(`${name} is not in the audit log`);
    return record;
  });
}

export const historyOperations = [
  change({
    at: '/v1/controls/{kind}/{scope}/notes',
    operationId: 'noteControl',
    summary: 'Add a note to the investigation of a control in force',
    roles: DECIDING_ROLES,
    path: controlPath,
    body: bodyOf(noteCommandSchema),
    answers: { 200: answer('The control with its notes.', recordSchema) },
    run: async ({ path, body, by }, parts: Api) => {
      await checkScope({ ...path, isSet: false }, parts);
      return await addNote(parts.databases.primary, path, body, by);
    },
  }),
  list({
    at: '/v1/controls/{kind}/{scope}/history',
    operationId: 'listControlHistory',
    summary: 'Controls of a kind that a scope had, with their notes, newest first',
    roles: READING_ROLES,
    path: controlPath,
    query: pageParameters,
    row: recordSchema,
    says: 'One page.',
    cursorOf: ({ control_id: id }: ControlRecord) => id,
    rows: async ({ path, query: { limit, cursor = null } }, parts: Api) => {
      await checkScope({ ...path, isSet: false }, parts);
      return selectRecords(parts.databases.primary.query, nameOf(path), cursor, limit);
    },
  }),
];
