/** People set and lift legal holds; the audit log has each change. */
import { refuseUnknownMonth } from '../../../core/store/partitions/legal-holds.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { timeColumns } from '../../../kit/database/time-text.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { parseMonth } from '../../../kit/words/month.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import type { HoldJson, NewHold } from './hold.ts';

/** Holds in force. Larger: the drop of a month, which looks for each held account, keeps its lock for seconds. */
export const HOLDS_MAX = 1000;

const COLUMNS = `h.hold_id::text as hold_id, h.kind, h.subject, h.reason, h.set_by, h.lifted_by, h.lift_reason,
  ${timeColumns('h', 'set_at', 'lifted_at')}`;

export const listHolds = rowsOf<
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

type Insert = [kind: string, subject: string | null, reason: string, by: string, key: string];
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

/** Sets a hold, after any removal that is under way. A hold with the same subject and reason is answered again. */
export async function setHold(
  database: Pick<Database, 'transaction'>,
  { kind, subject, reason }: NewHold,
  by: Officer,
): Promise<HoldJson> {
  return await database.transaction(async (query) => {
    const same = await findSame(query, kind, subject, reason);
    if (same !== undefined) return same;
    const made = await insert(query, kind, subject, reason, by.name, by.keyId);
    const month = kind === 'month' ? parseMonth(subject ?? '') : undefined;
    if (month !== undefined) await refuseUnknownMonth(query, month);
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
export async function liftHold(
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
