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
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { Failure } from '../../kit/words/failure.ts';
import { countedPage, pageLimit } from '../../kit/words/list-parameters.ts';
import { type PageJson, pageOf, pageSchema } from '../../kit/words/page.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';
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
  })
  .meta({ id: 'ControlNoteCommand' });

const pageParameters = z.strictObject({
  limit: pageLimit.meta({
    description: `Controls of a page, at most; ${RECORDS_MAX} where it is more.`,
  }),
  cursor: countedPage.cursor,
});

const recordSchema = z
  .object({
    control_id: z
      .string()
      .meta({ description: 'Its row of the audit log; the newest is highest.' }),
    set_at: z.iso.datetime(),
    set_by: z.string(),
    reason: z.string(),
    message: z.string().nullable(),
    ended_at: z.iso.datetime().nullable().meta({ description: 'Null: nobody has ended it.' }),
    ended_by: z.string().nullable(),
    end_reason: z.string().nullable(),
    notes: z
      .array(z.object({ at: z.iso.datetime(), by: z.string(), note: z.string() }))
      .meta({ description: `Oldest first, ${NOTES_MAX} at most.` }),
  })
  .meta({ id: 'ControlRecord' });
type ControlRecord = z.infer<typeof recordSchema>;

const recordExample: ControlRecord = {
  control_id: '41',
  set_at: '2026-11-25T09:30:00.000Z',
  set_by: 'Ann',
  reason: 'a wave of stolen cards',
  message: 'Payments to Egypt are paused.',
  ended_at: '2026-11-25T11:02:00.000Z',
  ended_by: 'Bob',
  end_reason: 'the cards are blocked',
  notes: [{ at: '2026-11-25T09:41:00.000Z', by: 'Ann', note: 'All cards are of one bank.' }],
};

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
                                                                     'note', after ->> 'note') order by audit_id), '[]') as notes
                          from market.audit_log
                         where action = 'control.note' and subject = $1 and audit_id > f.audit_id
                           and (next.audit_id is null or audit_id < next.audit_id)) n
    order by f.audit_id desc`,
);

type Named = { readonly kind: Kind; readonly scope: string };

/** A page of the controls of a kind that a scope had, newest first. */
async function listRecords(
  query: Query,
  named: Named,
  { limit, cursor = null }: { readonly limit: number; readonly cursor?: string | undefined | null },
): Promise<PageJson<ControlRecord>> {
  const rowsMax = Math.min(limit, RECORDS_MAX);
  const records = await selectRecords(query, nameOf(named), cursor, rowsMax);
  return pageOf(records, rowsMax, ({ control_id: id }) => id);
}

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
  note: string,
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
    const change = {
      action: 'control.note',
      subject: name,
      before: null,
      after: { note },
    } as const;
    await recordChange(query, by, change);
    const [record] = await selectRecords(query, name, null, 1);
    if (record === undefined) throw new Error(`${name} is not in the audit log`);
    return record;
  });
}

export const historyOperations = [
  operation({
    method: 'post',
    at: '/v1/controls/{kind}/{scope}/notes',
    operationId: 'noteControl',
    summary: 'Add a note to the investigation of a control in force',
    roles: DECIDING_ROLES,
    path: controlPath,
    body: bodyOf(noteCommandSchema, { note: 'All cards are of one bank.' }),
    answers: { 200: answer('The control with its notes.', recordSchema, recordExample) },
    problems: [404, 409],
    run: async ({ path, body: { note }, by }, parts: Api) => {
      await checkScope({ ...path, isSet: false }, parts);
      return await addNote(parts.databases.primary, path, note, by);
    },
  }),
  operation({
    method: 'get',
    at: '/v1/controls/{kind}/{scope}/history',
    operationId: 'listControlHistory',
    summary: 'Controls of a kind that a scope had, with their notes, newest first',
    roles: READING_ROLES,
    path: controlPath,
    query: pageParameters,
    answers: {
      200: answer('One page.', pageSchema(recordSchema), {
        items: [recordExample],
        next_cursor: null,
      }),
    },
    problems: [404],
    run: async ({ path, query }, parts: Api) => {
      await checkScope({ ...path, isSet: false }, parts);
      return await listRecords(parts.databases.primary.query, path, query);
    },
  }),
];
