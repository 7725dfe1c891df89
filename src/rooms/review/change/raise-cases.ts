/** Makes cases of transactions that need one: of those that scores and labels named, or that a person names. */
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import { refuseDetached } from '../../../core/store/partitions/partitions.ts';
import { recordChange, recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Actor, ENGINE, engineOf } from '../../../kit/words/principal.ts';
import type { StoredCase } from '../case.ts';
import { placeCase } from '../place-case.ts';
import type { CaseSource, StoredPolicy } from '../policy.ts';
import { lockCases } from '../store/cases.ts';
import { type Located, locateReviewed, takeIntake } from '../store/intake.ts';
import { type NewCase, type Opened, openCases } from '../store/open-cases.ts';
import { readPolicy } from '../store/policies.ts';

/** Rows of one step; each names the reviewed transactions of a batch. */
const STEP_ROWS = 500;
/** Transactions of one step, and as many as its last row names beyond. */
const STEP_TRANSACTIONS = 1000;

/** Makes the cases that the oldest rows of the intake name, and deletes these rows, in one database transaction. */
export async function raiseCases(
  database: Pick<Database, 'transaction'>,
  rowsMax: number = STEP_ROWS,
  transactionsMax: number = STEP_TRANSACTIONS,
): Promise<readonly Opened[]> {
  return await database.transaction(async (query) => {
    const taken = await takeIntake(query, rowsMax, transactionsMax);
    if (taken.length === 0) return [];
    const policy = await readPolicy({ query });
    // A transaction may be named by its score and by a label: the dispute is the one that counts.
    const disputed = new Set<string>();
    const scored = new Set<string>();
    for (const { source, transactionIds } of taken) {
      const ids = source === 'dispute' ? disputed : scored;
      for (const id of transactionIds) ids.add(id);
    }
    const located = await locateReviewed(
      query,
      [...new Set([...disputed, ...scored])],
      policy.policy.currency,
    );
    const cases = located.map((one) =>
      toNewCase(one, disputed.has(one.transactionId) ? 'dispute' : sourceOf(one), policy),
    );
    const before = disputed.size === 0 ? [] : await lockCases(query, [...disputed]);
    const opened = await openCases(query, cases, policy, ENGINE);
    await recordDisputes(query, before, opened);
    return opened;
  });
}

/** A dispute may take a decision back that people made, so what it changes is audited. */
async function recordDisputes(
  query: Query,
  before: readonly StoredCase[],
  opened: readonly Opened[],
): Promise<void> {
  const changed = new Map(opened.map((one) => [one.transactionId, one]));
  const changes = before.flatMap(({ transactionId: subject, ...one }) => {
    const after = changed.get(subject);
    if (after === undefined) return [];
    const { state, source, priority, disposition, decidedBy } = one;
    return {
      ...{ action: 'case.dispute' as const, subject },
      before: { state, source, priority, disposition, decidedBy },
      after: { state: after.state, source: after.source, priority: after.priority },
    };
  });
  await recordChanges(query, engineOf('risk worker'), changes);
}

/** A score names a transaction because of its verdict, or as a spot check. */
const sourceOf = ({ verdict }: Located): CaseSource =>
  verdict === 'review' ? 'verdict' : 'spot_check';

function toNewCase(located: Located, source: CaseSource, { policy }: StoredPolicy): NewCase {
  return { ...located, source, ...placeCase({ ...located, source }, policy, located.nowMs) };
}

/** Opens a case that a person asks for. @returns whether there was none before; @throws Failure `not-found` */
export async function raiseByHand(
  database: Pick<Database, 'transaction'>,
  transactionId: string,
  note: string | null,
  by: Actor & { readonly name: string },
  addNote: (query: Query, note: string) => Promise<void>,
): Promise<boolean> {
  return await database.transaction(async (query) => {
    const policy = await readPolicy({ query });
    const [located] = await locateReviewed(query, [transactionId], policy.policy.currency);
    if (located === undefined) {
      await refuseDetached({ query }, createdAtMsOf(transactionId) ?? 0);
      const why = `no transaction has the id ${given(transactionId)}`;
      throw new Failure('not-found', 'TRANSACTION_UNKNOWN', why);
    }
    const cases = [toNewCase(located, 'manual', policy)];
    const [opened] = await openCases(query, cases, policy, by.name);
    if (opened === undefined) return false;
    if (note !== null) await addNote(query, note);
    const after = { source: 'manual', priority: opened.priority, note };
    await recordChange(query, by, {
      action: 'case.open',
      subject: transactionId,
      before: null,
      after,
    });
    return true;
  });
}
