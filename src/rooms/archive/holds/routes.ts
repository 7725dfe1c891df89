/** `/v1/holds`: legal holds, by which a court or an authority has data kept. */

import { z } from 'zod';
import type { Api } from '../../../core/room.ts';
import { HOLD_KINDS } from '../../../core/store/partitions/legal-holds.ts';
import { requireMonth } from '../../../core/store/partitions/partitions.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeColumns } from '../../../kit/database/statement.ts';
import { answer, bodyOf, change, list } from '../../../kit/http/operation.ts';
import { keptToken } from '../../../kit/http/personal-edge.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { countedId, countedPage } from '../../../kit/words/list-parameters.ts';
import { parseMonth } from '../../../kit/words/month.ts';
import { ID_CHARS_MAX, idText, reasonField, reasonText } from '../../../kit/words/plain-text.ts';
import type { Officer } from '../../../kit/words/principal.ts';

const kind = z.enum(HOLD_KINDS);
const subject = idText(ID_CHARS_MAX).nullable();

const holdSchema = z
  .object({
    hold_id: z.string(),
    kind,
    subject: subject.meta({
      description: 'The month (2026-03) or the account; null: the market.',
    }),
    reason: z.string(),
    set_by: z.string(),
    set_at: z.iso.datetime(),
    lifted_by: z.string().nullable(),
    lifted_at: z.iso.datetime().nullable().meta({ description: 'Null: the hold is in force.' }),
    lift_reason: z.string().nullable(),
  })
  .meta({ id: 'LegalHold' });

const newHoldSchema = z
  .strictObject({
    kind,
    subject: subject
      .optional()
      .meta({ description: 'A month (2026-03) or an account; left out for the market.' }),
    reason: reasonText.meta({
      description: 'Who asked for the hold, and why.',
      example: 'order of the court, 17 C 204/26',
    }),
  })
  .meta({ id: 'NewLegalHold' });

const liftSchema = z.strictObject({ reason: reasonField }).meta({ id: 'LiftLegalHold' });

const holdPath = z.object({
  id: countedId('the id of a hold').meta({ description: 'The hold.', example: '7' }),
});

const holdParameters = z.strictObject({
  state: z
    .enum(['in_force', 'lifted'])
    .optional()
    .meta({ description: 'Only holds in force, or only those that were lifted.' }),
  ...countedPage,
});

/** Holds in force. Larger: the drop of a month, which looks for each held account, keeps its lock for seconds. */
const HOLDS_MAX = 1000;

const COLUMNS = `h.hold_id::text as hold_id, h.kind, h.subject, h.reason, h.set_by, h.lifted_by, h.lift_reason,
  ${timeColumns('h', 'set_at', 'lifted_at')}`;

const listHolds = rowsOf<
  HoldJson,
  [cursor: string | null, isInForce: boolean | null, limit: number]
>(
  'list-holds',
  `select ${COLUMNS} from market.legal_holds h
    where ($1::bigint is null or hold_id < $1) and ($2::boolean is null or (lifted_at is null) = $2)
    order by h.hold_id desc limit $3`,
);

const findSame = firstOf<HoldJson, [kind: string, subject: string | null, reason: string]>(
  'find-same-hold',
  `select ${COLUMNS} from market.legal_holds h
    where lifted_at is null and kind = $1 and subject is not distinct from $2 and reason = $3
    order by h.hold_id limit 1`,
);

const countInForce = onlyOf<{ holds: number }>(
  'count-holds',
  'select count(*)::int4 as holds from market.legal_holds where lifted_at is null',
);

const insert = onlyOf<HoldJson, Insert>(
  'insert-hold',
  `insert into market.legal_holds as h (kind, subject, reason, set_by, set_by_key) values ($1, $2, $3, $4, $5)
   returning ${COLUMNS}`,
);

const find = firstOf<HoldJson, [id: string]>(
  'find-hold-by-id',
  `select ${COLUMNS} from market.legal_holds h where h.hold_id = $1 for update`,
);

const lift = onlyOf<HoldJson, [id: string, reason: string, by: string, key: string]>(
  'lift-hold',
  `update market.legal_holds h set lifted_at = now(), lift_reason = $2, lifted_by = $3, lifted_by_key = $4
    where h.hold_id = $1 returning ${COLUMNS}`,
);

type Insert = [kind: string, subject: string | null, reason: string, by: string, key: string];

export const holdOperations = [
  list({
    at: '/v1/holds',
    operationId: 'listHolds',
    'x-command': 'holds list',
    summary: 'Legal holds, newest first',
    roles: ['operator', 'risk_officer', 'admin'],
    query: holdParameters,
    row: holdSchema,
    says: 'One page.',
    rows: ({ query: { state, limit, cursor } }, { databases: { primary } }: Api) => {
      const isInForce = state === undefined ? null : state === 'in_force';
      return listHolds(primary.query, cursor ?? null, isInForce, limit);
    },
    cursorOf: ({ hold_id: id }) => id,
  }),
  change({
    at: '/v1/holds',
    operationId: 'setHold',
    summary: 'Keep a market, a month or an account from removal',
    description: `While a hold is in force, its subject is neither dropped, purged nor erased. A subject may have several holds; a repetition with the same reason changes nothing. A market has at most ${HOLDS_MAX} holds in force.`,
    roles: ['risk_officer', 'admin'],
    body: bodyOf(newHoldSchema, {
      kind: 'account',
      subject: 'acc_17',
      reason: 'order of the court, 17 C 204/26',
    }),
    answers: { 200: answer('The hold.', holdSchema) },
    problems: [404],
    run: async ({ body, by, c }, { databases: { primary }, log }: Api) => {
      const asked = readNewHold(body);
      const isAccount = asked.kind === 'account' && asked.subject !== null;
      const findSubject = async () =>
        isAccount ? await keptToken(c, 'account_id', asked.subject) : asked.subject;
      for (;;) {
        const subject = await findSubject();
        const made = await setHold(primary, { ...asked, subject }, by);
        log.warn({ keyId: by.keyId, holdId: made.hold_id }, 'legal hold set');
        // A hold waits for an erasure under way, behind which the account has another token.
        if ((await findSubject()) === subject) return made;
      }
    },
  }),
  change({
    at: '/v1/holds/{id}/lift',
    operationId: 'liftHold',
    'x-command': 'holds lift',
    summary: 'Lift a legal hold; other holds of its subject stay',
    roles: ['risk_officer', 'admin'],
    path: holdPath,
    body: bodyOf(liftSchema),
    answers: { 200: answer('The hold.', holdSchema) },
    run: async ({ path: { id }, body: { reason }, by }, { databases: { primary }, log }: Api) => {
      const found = await liftHold(primary, id, reason, by);
      log.warn({ keyId: by.keyId, holdId: id }, 'legal hold lifted');
      return found;
    },
  }),
];

type HoldJson = z.infer<typeof holdSchema>;

type NewHold = {
  readonly kind: HoldJson['kind'];
  readonly subject: string | null;
  readonly reason: string;
};

/** Sets a legal hold, after any removal that is under way. A hold with the same subject and reason is answered again. */
async function setHold(
  database: Pick<Database, 'transaction'>,
  { kind, subject, reason }: NewHold,
  by: Officer,
): Promise<HoldJson> {
  return await database.transaction(async (query) => {
    const same = await findSame(query, kind, subject, reason);
    if (same !== undefined) return same;
    const made = await insert(query, kind, subject, reason, by.name, by.keyId);
    const month = kind === 'month' ? parseMonth(subject ?? '') : undefined;
    if (month !== undefined) await requireMonth(query, month);
    await refuseTooMany(query);
    await recordChange(query, by, {
      action: 'hold.set',
      subject: made.hold_id,
      before: null,
      after: { kind, subject, reason },
    });
    return made;
  });
}

async function refuseTooMany(query: Query): Promise<void> {
  const { holds } = await countInForce(query);
  if (holds <= HOLDS_MAX) return;
  throw new Failure(
    'conflict',
    'TOO_MANY_HOLDS',
    `${HOLDS_MAX} legal holds are in force: lift one, or hold the market`,
  );
}

/** Lifts a hold; a hold that was lifted before stays as it is. @throws Failure where no hold has the id */
async function liftHold(
  database: Pick<Database, 'transaction'>,
  id: string,
  reason: string,
  by: Officer,
): Promise<HoldJson> {
  return await database.transaction(async (query) => {
    const found = await find(query, id);
    if (found === undefined)
      throw new Failure('not-found', 'NO_HOLD', `no legal hold has the id ${id}`);
    if (found.lifted_at !== null) return found;
    const lifted = await lift(query, id, reason, by.name, by.keyId);
    const { kind, subject } = found;
    await recordChange(query, by, {
      action: 'hold.lift',
      subject: id,
      before: { kind, subject, reason: found.reason },
      after: { reason },
    });
    return lifted;
  });
}

/**
 * Legal holds in requests and answers of the API.
 * @throws InvalidFields where kind and subject do not fit
 */
function readNewHold({ kind, subject = null, reason }: z.infer<typeof newHoldSchema>): NewHold {
  const refuse = (detail: string): never => {
    throw new InvalidFields([{ pointer: '/subject', detail }]);
  };
  if (kind === 'market') {
    if (subject !== null) refuse(`must be left out for the market, not ${given(subject)}`);
  } else if (subject === null) {
    refuse(kind === 'month' ? 'must be a month, as 2026-03' : 'must be an account');
  } else if (kind === 'month' && parseMonth(subject) === undefined) {
    refuse(`must be a month as 2026-03, not ${given(subject)}`);
  }
  return { kind, subject, reason };
}
