/** Makes cases of the transactions that the outbox names, and of a transaction that a person names. */
import { z } from 'zod';
import { compareDecimals } from '../../../core/domain/currency.ts';
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import { refuseDetached } from '../../../core/store/partitions/partitions.ts';
import { recordChange, recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { idsOf, type Topic } from '../../../kit/outbox/outbox.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import { ENGINE, engineOf, type Officer } from '../../../kit/words/principal.ts';
import { MINUTE_MS } from '../../../kit/words/range.ts';
import {
  CASE_LIMITS,
  type CaseJson,
  type LocatedTransaction,
  later,
  type NewCase,
  type StoredCase,
} from '../case.ts';
import { toCaseJson } from '../case-json.ts';
import type { CaseFacts, CaseSource, PriorityRule, ReviewPolicy, StoredPolicy } from '../policy.ts';
import { unknownCase } from '../queries/cases.ts';
import { lockCases, type Opened, openCases, readCase } from '../store/cases.ts';
import { insertNote } from '../store/notes.ts';
import { readPolicy } from '../store/policies.ts';
import { locateReviewed, type Reviewed, reviewed } from '../store/reviewed.ts';

/** Gives a case the priority and the deadline of the first rule that takes the case. */
export function prioritise(
  facts: CaseFacts,
  { priorities }: Pick<ReviewPolicy, 'priorities'>,
  openedAt: string,
): Pick<StoredCase, 'priority' | 'due_at'> {
  const rule = priorities.find((priority) => takes(priority, facts));
  if (rule === undefined) throw new Error('the last priority of a policy takes every case');
  const { priority, deadline_minutes: minutes } = rule;
  return { priority, due_at: later(openedAt, minutes * MINUTE_MS) };
}

function takes(
  { sources, amount_above: above, score_from: from, reasons: wanted }: PriorityRule,
  { source, market_amount: amount, score, reasons }: CaseFacts,
): boolean {
  if (sources !== undefined && !sources.includes(source)) return false;
  if (above !== undefined && !isAbove(amount, above)) return false;
  if (from !== undefined && (score === null || score < from)) return false;
  return wanted === undefined || wanted.some((code) => reasons.includes(code));
}

/** An unknown amount may be any amount, so it counts as high: a wrong guess costs an officer's time, not money. */
const isAbove = (amount: string | null, bound: string) =>
  amount === null || compareDecimals(amount, bound) > 0;

/** Makes the cases that rows of the outbox name. */
export const REVIEWED: Topic<Reviewed, readonly Opened[]> = {
  outbox: reviewed,
  apply: async (query, rows) => {
    const policy = await readPolicy(query);
    // The score and a label may name one transaction: the dispute counts.
    const disputed = new Set(idsOf(rows.filter(({ source }) => source === 'dispute')));
    const named = [...new Set(idsOf(rows))];
    const located = await locateReviewed(query, named, policy.policy.currency);
    const cases = located.map((transaction) => {
      const scored = transaction.verdict === 'review' ? 'verdict' : 'spot_check';
      return toNewCase(
        transaction,
        disputed.has(transaction.transaction_id) ? 'dispute' : scored,
        policy,
        ENGINE,
      );
    });
    const before = disputed.size === 0 ? [] : await lockCases(query, [...disputed]);
    const opened = await openCases(query, cases);
    await recordDisputes(query, before, opened);
    return opened;
  },
};

/** A dispute may take back a decision of people, so its changes are audited. */
async function recordDisputes(
  query: Query,
  before: readonly StoredCase[],
  opened: readonly Opened[],
): Promise<void> {
  const changed = new Map(opened.map((transaction) => [transaction.transaction_id, transaction]));
  const changes = before.flatMap(({ transaction_id: subject, ...transaction }) => {
    const after = changed.get(subject);
    if (after === undefined) return [];
    const { state, source, priority, disposition, decided_by } = transaction;
    return {
      action: 'case.dispute' as const,
      subject,
      before: { state, source, priority, disposition, decided_by },
      after: { state: after.state, source: after.source, priority: after.priority },
    };
  });
  await recordChanges(query, engineOf('risk worker'), changes);
}

function toNewCase(
  located: LocatedTransaction,
  source: CaseSource,
  { version, policy }: StoredPolicy,
  by: string,
): NewCase {
  return {
    ...located,
    ...prioritise({ ...located, source }, policy, located.now),
    source,
    policy: version,
    market_currency: policy.currency,
    opened_by: by,
  };
}

/** `POST /v1/reviews` */
export const newCaseSchema = z
  .strictObject({
    transaction_id: z.uuid().toLowerCase(),
    note: plainText(CASE_LIMITS.reasonChars).optional(),
  })
  .meta({ id: 'NewReviewCase' });

/** Opens a case that a person asks for, unless the transaction has one. @throws Failure `not-found` */
export async function openByHand(
  database: Pick<Database, 'transaction'>,
  { transaction_id: id, note = null }: { transaction_id: string; note?: string | null | undefined },
  by: Officer,
): Promise<{ isNew: boolean; opened: CaseJson }> {
  return await database.transaction(async (query) => {
    const policy = await readPolicy(query);
    const [located] = await locateReviewed(query, [id], policy.policy.currency);
    if (located === undefined) {
      await refuseDetached({ query }, createdAtMsOf(id) ?? 0);
      const why = `no transaction has the id ${given(id)}`;
      throw new Failure('not-found', 'TRANSACTION_UNKNOWN', why);
    }
    const [made] = await openCases(query, [toNewCase(located, 'manual', policy, by.name)]);
    const stored = await readCase(query, id);
    if (stored === undefined) throw unknownCase(id);
    const opened = toCaseJson(stored, policy.policy);
    if (made === undefined) return { isNew: false, opened };
    if (note !== null) await insertNote(query, id, by.name, note);
    const after = { source: 'manual', priority: made.priority, note };
    await recordChange(query, by, { action: 'case.open', subject: id, before: null, after });
    return { isNew: true, opened };
  });
}
