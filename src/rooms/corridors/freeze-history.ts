/**
 * The investigation of a freeze: its notes, and what froze and resumed a scope before. All of it is in the audit log, whose rows
 * nobody changes or deletes.
 */
import { z } from 'zod';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import { CURSOR_DESCRIPTION, pageLimit, shown } from '../../kit/words/list-parameters.ts';
import { type PageJson, pageOf, pageSchema } from '../../kit/words/page.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';
import type { Frozen } from './freeze-change.ts';

const NOTE_CHARS_MAX = 4000;
/** Notes of one freeze: an answer has all of them, 800 kB at most. */
const NOTES_MAX = 200;
/** Freezes of one answer: with more, their notes could be 16 MB. */
const FREEZES_MAX = 20;

export const noteCommandSchema = z
  .strictObject({
    note: plainText(NOTE_CHARS_MAX).meta({ description: 'What was found, asked or done.' }),
  })
  .meta({ id: 'FreezeNoteCommand' });

export const freezesParameters = z.strictObject({
  limit: pageLimit.meta({
    description: `Freezes of a page, at most; ${FREEZES_MAX} where it is more.`,
  }),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'must be the next_cursor of this list')
    .optional()
    .meta(shown('41', CURSOR_DESCRIPTION)),
});

export const freezeRecordSchema = z
  .object({
    freeze_id: z.string().meta({ description: 'Its row of the audit log; the newest is highest.' }),
    frozen_at: z.iso.datetime(),
    frozen_by: z.string(),
    reason: z.string(),
    message: z.string().nullable(),
    resumed_at: z.iso.datetime().nullable().meta({ description: 'Null: nobody has resumed it.' }),
    resumed_by: z.string().nullable(),
    resume_reason: z.string().nullable(),
    notes: z
      .array(z.object({ at: z.iso.datetime(), by: z.string(), note: z.string() }))
      .meta({ description: `Oldest first, ${NOTES_MAX} at most.` }),
  })
  .meta({ id: 'FreezeRecord' });
type FreezeRecord = z.infer<typeof freezeRecordSchema>;
export const freezesSchema = pageSchema(freezeRecordSchema);

export const freezeRecord: FreezeRecord = {
  freeze_id: '41',
  frozen_at: '2026-11-25T09:30:00.000Z',
  frozen_by: 'Ann',
  reason: 'a wave of stolen cards',
  message: 'Payments to Egypt are paused.',
  resumed_at: '2026-11-25T11:02:00.000Z',
  resumed_by: 'Bob',
  resume_reason: 'the cards are blocked',
  notes: [{ at: '2026-11-25T09:41:00.000Z', by: 'Ann', note: 'All cards are of one bank.' }],
};

const selectFreezes = rowsOf<FreezeRecord, [scope: string, before: string | null, rowsMax: number]>(
  'list-freezes',
  `select f.audit_id::text as freeze_id, ${timeText('f.changed_at')} as frozen_at, f.who as frozen_by,
          f.after ->> 'reason' as reason, f.after ->> 'message' as message, ${timeText('r.changed_at')} as resumed_at,
          r.who as resumed_by, r.after ->> 'reason' as resume_reason, n.notes
     from (select * from market.audit_log
            where action = 'scope.freeze' and subject = $1 and ($2::bigint is null or audit_id < $2)
            order by audit_id desc limit $3) f
    cross join lateral (select min(audit_id) as audit_id from market.audit_log
                         where action in ('scope.freeze', 'scope.resume') and subject = $1 and audit_id > f.audit_id) next
     left join market.audit_log r on r.audit_id = next.audit_id and r.action = 'scope.resume'
    cross join lateral (select coalesce(jsonb_agg(jsonb_build_object('at', ${timeText('changed_at')}, 'by', who,
                                                                     'note', after ->> 'note') order by audit_id), '[]') as notes
                          from market.audit_log
                         where action = 'scope.note' and subject = $1 and audit_id > f.audit_id
                           and (next.audit_id is null or audit_id < next.audit_id)) n
    order by f.audit_id desc`,
);

/** Newest first. */
export async function listFreezes(
  query: Query,
  { scope }: Frozen,
  { limit, cursor = null }: { readonly limit: number; readonly cursor?: string | undefined | null },
): Promise<PageJson<FreezeRecord>> {
  const rowsMax = Math.min(limit, FREEZES_MAX);
  const freezes = await selectFreezes(query, scope, cursor, rowsMax);
  return pageOf(freezes, rowsMax, ({ freeze_id: id }) => id);
}

/** Locks the row of switches: notes are counted one after the other, and no resume comes between. */
const lockFreeze = firstOf<object, [name: string]>(
  'lock-freeze',
  'select from market.switches where market.is_stopped(stopped, $1) for no key update',
);
const countNotes = onlyOf<{ notes: number }, [scope: string]>(
  'count-freeze-notes',
  `select count(*)::int4 as notes from market.audit_log
    where action = 'scope.note' and subject = $1
      and audit_id > (select max(audit_id) from market.audit_log where action = 'scope.freeze' and subject = $1)`,
);

/** @throws Failure where the scope is not frozen by a freeze of its own, or has as many notes as it may have */
export async function addNote(
  database: Pick<Database, 'transaction'>,
  { scope }: Frozen,
  note: string,
  by: Officer,
): Promise<FreezeRecord> {
  return await database.transaction(async (query) => {
    if ((await lockFreeze(query, `freeze:${scope}`)) === undefined) {
      const why = `no freeze of ${scope} itself is in force, and a note belongs to a freeze`;
      throw new Failure('conflict', 'NOT_FROZEN', why);
    }
    if ((await countNotes(query, scope)).notes >= NOTES_MAX) {
      throw new Failure('conflict', 'NOTES_FULL', `the freeze has ${NOTES_MAX} notes already`);
    }
    const change = { action: 'scope.note', subject: scope, before: null, after: { note } } as const;
    await recordChange(query, by, change);
    const [freeze] = await selectFreezes(query, scope, null, 1);
    if (freeze === undefined) throw new Error(`the freeze of ${scope} is not in the audit log`);
    return freeze;
  });
}
