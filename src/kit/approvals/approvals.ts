/**
 * Two people decide: one proposes in the database transaction of a request, and another confirms. The confirmation carries the
 * decision out in its own commit; Postgres refuses a confirmation by one person.
 */
import { isDeepStrictEqual } from 'node:util';
import { holdPerson, listPeople, lockPeople, refuseShared } from '../access/identities.ts';
import { recordChange } from '../audit/audit-log.ts';
import type { Database, Query } from '../database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../database/statement.ts';
import { given } from '../words/describe-issue.ts';
import { Failure } from '../words/failure.ts';
import { type Actor, ENGINE, foldName, type Officer, type Role } from '../words/principal.ts';
import { APPROVAL_DAYS, type Approval } from './approval.ts';

type Confirmed = Approval & { readonly proposed_by_key: string };

/**
 * Carries a confirmed decision out, in the database transaction of the confirmation.
 * @returns what was done, for people who look at the approval
 */
export type Execute<Parts> = (
  query: Query,
  approval: Confirmed,
  by: Officer,
  parts: Parts,
) => Promise<object>;
/** Executors by the kind of the decision; the room that proposes a kind has its executor. */
export type Executors<Parts> = Readonly<Record<string, Execute<Parts>>>;

export type NewApproval = Pick<Approval, 'kind' | 'subject' | 'detail'> & {
  readonly reason?: string | undefined;
};

const NOW = 'clock_timestamp()';
const WAITS = 'confirmed_at is null and withdrawn_at is null';
const COLUMNS = `approval_id::text as approval_id, kind, subject,
  case when confirmed_at is not null then 'confirmed' when ends_at <= coalesce(withdrawn_at, ${NOW}) then 'expired'
       when withdrawn_at is not null then 'withdrawn' else 'waiting' end as state,
  reason, proposed_by, ${timeText('proposed_at')} as proposed_at, ${timeText('ends_at')} as ends_at, confirmed_by,
  ${timeText('confirmed_at')} as confirmed_at, withdrawn_by, detail, result`;

type Named = [kind: string, subject: string];
const endExpired = rowsOf<object, Named>(
  'end-expired-approval',
  `update market.approvals set withdrawn_by = '${ENGINE}', withdrawn_at = ${NOW}
    where kind = $1 and subject = $2 and ${WAITS} and ends_at <= ${NOW}`,
);
const insert = firstOf<
  Approval,
  [...Named, detail: string, reason: string | null, by: string, key: string]
>(
  'insert-approval',
  `insert into market.approvals (kind, subject, detail, reason, proposed_by, proposed_by_key, ends_at)
   values ($1, $2, $3::jsonb, $4, $5, $6, ${NOW} + interval '${APPROVAL_DAYS} days')
   on conflict (kind, subject) where ${WAITS} do nothing returning ${COLUMNS}`,
);
const findWaiting = firstOf<Approval, Named>(
  'find-waiting-approval',
  `select ${COLUMNS} from market.approvals where kind = $1 and subject = $2 and ${WAITS}`,
);
const lock = firstOf<Confirmed, [id: string]>(
  'lock-approval',
  `select ${COLUMNS}, proposed_by_key from market.approvals where approval_id = $1 for update`,
);
const find = firstOf<Approval, [id: string]>(
  'find-approval',
  `select ${COLUMNS} from market.approvals where approval_id = $1`,
);
const writeConfirmed = onlyOf<Confirmed, [id: string, by: string, key: string]>(
  'confirm-approval',
  `update market.approvals set confirmed_by = $2, confirmed_by_key = $3, confirmed_at = ${NOW}
    where approval_id = $1 returning ${COLUMNS}, proposed_by_key`,
);
const writeResult = onlyOf<Approval, [id: string, result: string]>(
  'write-approval-result',
  `update market.approvals set result = $2::jsonb where approval_id = $1 returning ${COLUMNS}`,
);
const writeWithdrawn = onlyOf<Approval, [id: string, by: string]>(
  'withdraw-approval',
  `update market.approvals set withdrawn_by = $2, withdrawn_at = ${NOW} where approval_id = $1 returning ${COLUMNS}`,
);
/** Newest first. */
export const listApprovals = rowsOf<
  Approval,
  [cursor: string | undefined, kind: string | undefined, state: string, limit: number]
>(
  'list-approvals',
  `select * from (select ${COLUMNS} from market.approvals
                   where ($1::bigint is null or approval_id < $1) and ($2::text is null or kind = $2)
                     and ($3 <> 'waiting' or ${WAITS})) a
    where $3 in (state, 'all') order by approval_id::bigint desc limit $4`,
);
export const findNobody = onlyOf<{ isNobodys: boolean }, [key: string]>(
  'find-nobody-in-line',
  'select market.approver_of($1) is null and market.is_nobodys($1) as "isNobodys"',
);

/** @throws Failure where anybody may hold the key, so that its holder could confirm under another name */
export async function requirePerson(query: Query, { keyId }: Officer): Promise<void> {
  if (!(await findNobody(query, keyId)).isNobodys) return;
  const why =
    'what takes two people is proposed by a person whose key a person has made: this key, or the key that made it, is nobody’s';
  throw new Failure('conflict', 'PROPOSER_UNKNOWN', why);
}

/** Proposes a decision; a repetition by the same person, for the same reason, answers the approval that waits. @throws Failure where another approval waits */
export async function propose(
  query: Query,
  { kind, subject, detail, reason }: NewApproval,
  by: Officer,
): Promise<Approval> {
  await requirePerson(query, by);
  await endExpired(query, kind, subject);
  const text = JSON.stringify(detail);
  const made = await insert(query, kind, subject, text, reason ?? null, by.name, by.keyId);
  if (made !== undefined) {
    const change = { action: 'approval.propose', subject, before: null, after: made } as const;
    await recordChange(query, by, change);
    return made;
  }
  const waiting = await findWaiting(query, kind, subject);
  if (waiting === undefined)
    throw waits(`${kind} ${subject} was decided meanwhile: propose it again`);
  const isSame = isDeepStrictEqual(waiting.detail, JSON.parse(text));
  const { approval_id: id, proposed_by: other } = waiting;
  const isOwn = other === by.name;
  if (isSame && isOwn && waiting.reason === (reason ?? null)) return waiting;
  throw waits(
    isSame && !isOwn
      ? `${other} has proposed the same: confirm the approval ${id}`
      : `the approval ${id} by ${other} waits for ${kind} ${subject}: confirm or withdraw it first`,
  );
}

const waits = (why: string) => new Failure('conflict', 'APPROVAL_WAITS', why);

const unknown = (id: string) =>
  new Failure('not-found', 'APPROVAL_UNKNOWN', `there is no approval ${given(id)}`);

/** @throws Failure `not-found` */
export async function readApproval(query: Query, id: string): Promise<Approval> {
  const found = await find(query, id);
  if (found === undefined) throw unknown(id);
  return found;
}

/**
 * Confirms an approval and does what the approval says. A repetition by the same person gets the same answer.
 * @throws Failure where nothing waits, or one person may be both
 */
export async function confirm<Parts>(
  { transaction }: Pick<Database, 'transaction'>,
  executors: Executors<Parts>,
  id: string,
  by: Officer,
  parts: Parts,
): Promise<Approval> {
  return await transaction(async (query) => {
    // The revocation of a person locks people before keys, too.
    await lockPeople(query);
    const found = await lock(query, id);
    if (found === undefined) throw unknown(id);
    const { proposed_by_key: key, ...before } = found;
    const { kind, subject, state, proposed_by: first } = before;
    if (state === 'confirmed' && before.confirmed_by === by.name) return before;
    requireWaiting(before);
    requireOther(by, first, `${first} proposed ${kind} ${subject}: another person must confirm`);
    if (!(await holdPerson(query, first))) {
      const why = `${first} proposed ${kind} ${subject} and is revoked: propose it again`;
      throw new Failure('conflict', 'PROPOSER_REVOKED', why);
    }
    await refuseShared({ query }, key, by.keyId);
    const execute = executors[kind];
    if (execute === undefined) {
      const why = `this build has no room that carries out ${kind}: confirm by the release that proposed ${subject}`;
      throw new Failure('conflict', 'KIND_UNKNOWN', why);
    }
    const confirmed = await writeConfirmed(query, id, by.name, by.keyId);
    const after = await writeResult(
      query,
      id,
      JSON.stringify(await execute(query, confirmed, by, parts)),
    );
    await recordChange(query, by, { action: 'approval.confirm', subject, before, after });
    return after;
  });
}

/** Withdraws an approval, as anybody may who may propose; a repetition answers the same. @throws Failure where the approval is confirmed or expired */
export async function withdraw(query: Query, id: string, by: Actor): Promise<Approval> {
  const found = await lock(query, id);
  if (found === undefined) throw unknown(id);
  const { proposed_by_key: _, ...before } = found;
  if (before.state === 'withdrawn') return before;
  requireWaiting(before);
  const after = await writeWithdrawn(query, id, by.name ?? ENGINE);
  const { subject } = before;
  await recordChange(query, by, { action: 'approval.withdraw', subject, before, after });
  return after;
}

/** Withdraws what waits for a subject that has ended by itself. */
export async function withdrawWaiting(
  query: Query,
  kind: string,
  subject: string,
  by: Actor,
): Promise<void> {
  await endExpired(query, kind, subject);
  const waiting = await findWaiting(query, kind, subject);
  if (waiting !== undefined) await withdraw(query, waiting.approval_id, by);
}

/** @throws Failure with the reason where the first person is the same */
export function requireOther({ name }: Pick<Officer, 'name'>, first: string, why: string): void {
  if (foldName(first) === foldName(name)) throw new Failure('conflict', 'ANOTHER_PERSON', why);
}

function requireWaiting({ approval_id: id, state }: Approval): void {
  if (state === 'waiting') return;
  const next = state === 'confirmed' ? 'nothing is left to do' : 'propose it again';
  throw new Failure('conflict', 'NOT_WAITING', `the approval ${id} is ${state}: ${next}`);
}

const findLast = firstOf<Approval, [...Named, since: string | null]>(
  'find-last-approval',
  `select ${COLUMNS} from market.approvals
    where kind = $1 and subject = $2 and withdrawn_at is null and ends_at > ${NOW} and proposed_at > coalesce($3::timestamptz, '-infinity')
    order by approvals.approval_id desc limit 1`,
);

/**
 * Finds the two people whose agreement a command carries out.
 * @param since a proposal before this time is about an earlier state of the subject @throws Failure where no two people have agreed
 */
export async function requireConfirmed(
  query: Query,
  [kind, subject]: Named,
  since: string | null,
  ask: string,
): Promise<{ readonly requested_by: string; readonly confirmed_by: string }> {
  const { proposed_by, confirmed_by } = (await findLast(query, kind, subject, since)) ?? {};
  if (proposed_by !== undefined && confirmed_by != null)
    return { requested_by: proposed_by, confirmed_by };
  const by = proposed_by === undefined ? 'nobody has requested' : `${proposed_by} alone requested`;
  const why = `${by} ${kind} ${subject}: one person sends \`${ask}\`, another confirms the approval, then give the command again`;
  throw new Failure('conflict', 'NOT_APPROVED', why);
}

/** More: an event of a large market is long. Fewer: somebody who may act is not told. */
const RECIPIENTS_MAX = 100;

/** The event `approval.waiting` tells people who may confirm, end or apply something. */
export type Waiting = {
  /** An event of the same id is sent once. */
  readonly event: { readonly id: string; readonly at: Date; readonly corridor?: string };
  readonly said: Readonly<Record<'action' | 'subject' | 'who' | 'next', string>> & {
    readonly reason: string | null;
    readonly approval?: Approval;
    readonly suggestion?: object;
  };
  /** People with one of the roles may act, but not this person. */
  readonly roles: readonly Role[];
  readonly except: string | null;
};

export async function toWaitingEvents(query: Query, waiting: readonly Waiting[]) {
  if (waiting.length === 0) return [];
  const people = await listPeople(query);
  return waiting.map(({ event, said, roles, except }) => {
    const may = people.filter((person) => person.roles.some((role) => roles.includes(role)));
    const names = may.map(({ name }) => name).filter((name) => name !== except);
    const recipients = names.slice(0, RECIPIENTS_MAX);
    return {
      ...event,
      type: 'approval.waiting' as const,
      data: { ...said, at: event.at, recipients },
    };
  });
}
