/** `/v1/corridors/{id}` and `/v1/markets/{id}`: how one stands, and freezing it. */
import { z } from 'zod';
import { corridorScope } from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { countedPage, pageLimit } from '../../kit/words/list-parameters.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';
import { pageOf, pageSchema } from '../../kit/words/page.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { AUTHORITY, DECIDING_ROLES, READING_ROLES } from './authority.ts';
import {
  type Frozen,
  freeze,
  freezeCommandSchema,
  readStanding,
  resume,
  resumeCommandSchema,
  standingSchema,
} from './freeze-change.ts';
import { stopExample } from './switch-change.ts';

/**
 * The investigation of a freeze: its notes, and what froze and resumed a scope before. All of it is in the audit log, whose rows
 * nobody changes or deletes.
 */

const NOTE_CHARS_MAX = 4000;
/** Notes of one freeze: an answer has all of them, 800 kB at most. */
const NOTES_MAX = 200;
/** Freezes of one answer: with more, their notes could be 16 MB. */
const FREEZES_MAX = 20;

const noteCommandSchema = z
  .strictObject({
    note: plainText(NOTE_CHARS_MAX).meta({ description: 'What was found, asked or done.' }),
  })
  .meta({ id: 'FreezeNoteCommand' });

const freezesParameters = z.strictObject({
  limit: pageLimit.meta({
    description: `Freezes of a page, at most; ${FREEZES_MAX} where it is more.`,
  }),
  cursor: countedPage.cursor,
});

const freezeRecordSchema = z
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
const freezesSchema = pageSchema(freezeRecordSchema);

const freezeRecord: FreezeRecord = {
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
async function addNote(
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

export const stopsOf = ({ databases, switches }: Pick<Api, 'databases' | 'switches'>) => ({
  database: databases.primary,
  ofEnvironment: switches.ofEnvironment,
});

const KINDS = ['corridor', 'market'] as const;
type Kind = (typeof KINDS)[number];

const pathOf = (description: string, example: string) =>
  z.object({ id: z.string().max(64).meta({ description, example }) });
export const paths = {
  corridor: pathOf('The corridor.', 'US-EG'),
  market: pathOf('The market of this API.', 'market_0'),
};

export function frozenOf(
  kind: Kind,
  id: string,
  { config, ingest }: Pick<Api, 'config' | 'ingest'>,
): Frozen {
  const names = kind === 'market' ? [config.RISK_MARKET] : [...ingest.corridors()];
  if (!names.includes(id)) {
    const nearest = nearestName(id, names);
    const advice = nearest === undefined ? '' : `; ${nearest} is one`;
    throw new Problem('not-found', `No ${kind} of this API is called ${given(id)}${advice}.`);
  }
  if (kind === 'market') return { scope: 'market', corridor: null };
  return { scope: corridorScope(id), corridor: id };
}

export const standingExample = {
  scope: 'corridor:US-EG',
  state: 'frozen' as const,
  message: 'Payments to Egypt are paused.',
  stop: null,
  freeze: {
    ...stopExample,
    scope: 'freeze:corridor:US-EG',
    reason: 'a wave of stolen cards',
    message: 'Payments to Egypt are paused.',
  },
  pending: 0,
  on_hold: 0,
  is_drained: true,
  stricter: [],
  releases_held: true,
};

const TITLES = { corridor: 'Corridor', market: 'Market' } as const;

const operationsOf = (kind: Kind) => [
  operation({
    method: 'post',
    at: `/v1/${kind}s/{id}/freeze`,
    operationId: `freeze${TITLES[kind]}`,
    summary: `Refuse new transactions of a ${kind}, and score what was accepted`,
    description:
      'Refused with 409 while a switch keeps the scope from being scored. It is drained once `pending` is 0; releases of value are held until it is resumed.',
    roles: AUTHORITY.freeze.roles,
    path: paths[kind],
    body: bodyOf(freezeCommandSchema, { reason: 'a wave of stolen cards' }),
    answers: { 200: answer('How it stands.', standingSchema, standingExample) },
    problems: [404, 409],
    run: async ({ path: { id }, body, by }, parts: Api) => {
      const frozen = frozenOf(kind, id, parts);
      await freeze(parts.databases.primary, frozen, body, by);
      parts.log.warn({ keyId: by.keyId, ...frozen }, 'freeze');
      return readStanding(stopsOf(parts), frozen);
    },
  }),
  operation({
    method: 'post',
    at: `/v1/${kind}s/{id}/resume`,
    operationId: `resume${TITLES[kind]}`,
    summary: `Let a frozen ${kind} go on; another person does it than froze it`,
    roles: AUTHORITY.resume.roles,
    path: paths[kind],
    body: bodyOf(resumeCommandSchema, { reason: 'the cards are blocked' }),
    answers: {
      200: answer('How it stands.', standingSchema, {
        ...standingExample,
        state: 'open' as const,
        message: null,
        freeze: null,
        is_drained: false,
        releases_held: false,
      }),
    },
    problems: [404, 409],
    run: async ({ path: { id }, body, by }, parts: Api) => {
      const frozen = frozenOf(kind, id, parts);
      await resume(parts.databases.primary, frozen, body.reason, by);
      parts.log.warn({ keyId: by.keyId, ...frozen }, 'resume');
      return readStanding(stopsOf(parts), frozen);
    },
  }),
];

const investigationOf = (kind: Kind) => [
  operation({
    method: 'post',
    at: `/v1/${kind}s/{id}/notes`,
    operationId: `note${TITLES[kind]}`,
    summary: `Add a note to the investigation of a frozen ${kind}`,
    roles: DECIDING_ROLES,
    path: paths[kind],
    body: bodyOf(noteCommandSchema, { note: 'All cards are of one bank.' }),
    answers: { 200: answer('The freeze with its notes.', freezeRecordSchema, freezeRecord) },
    problems: [404, 409],
    run: async ({ path: { id }, body: { note }, by }, parts: Api) =>
      addNote(parts.databases.primary, frozenOf(kind, id, parts), note, by),
  }),
  operation({
    method: 'get',
    at: `/v1/${kind}s/{id}/freezes`,
    operationId: `list${TITLES[kind]}Freezes`,
    summary: `Freezes of a ${kind} with their notes, newest first`,
    roles: READING_ROLES,
    path: paths[kind],
    query: freezesParameters,
    answers: {
      200: answer('One page.', freezesSchema, { items: [freezeRecord], next_cursor: null }),
    },
    problems: [404],
    run: async ({ path: { id }, query: { limit, cursor = null } }, parts: Api) => {
      const { scope } = frozenOf(kind, id, parts);
      const rowsMax = Math.min(limit, FREEZES_MAX);
      const freezes = await selectFreezes(parts.databases.primary.query, scope, cursor, rowsMax);
      return pageOf(freezes, rowsMax, ({ freeze_id: id }) => id);
    },
  }),
];

const readMarket = operation({
  method: 'get',
  at: '/v1/markets/{id}',
  operationId: 'readMarket',
  summary: 'How a market stands: open, frozen or stopped, and what is pending',
  roles: READING_ROLES,
  path: paths.market,
  answers: { 200: answer('How it stands.', standingSchema, standingExample) },
  problems: [404],
  run: async ({ path: { id } }, parts: Api) =>
    readStanding(stopsOf(parts), frozenOf('market', id, parts)),
});

export const freezeOperations = [
  readMarket,
  ...KINDS.flatMap((kind) => [...operationsOf(kind), ...investigationOf(kind)]),
];
