/**
 * Makes decisions final once nobody can undo them. The label, the end of the case and the final decision are one commit, so a
 * process that ends in between leaves all of it or nothing, and no label comes twice.
 */
import { randomUUID } from 'node:crypto';
import type { Disposition } from '../../../core/domain/disposition.ts';
import { featureIndex } from '../../../core/domain/feature-schema.ts';
import type { Label, LabelValue } from '../../../core/domain/label.ts';
import { addEvents } from '../../../core/events.ts';
import { insertLabels } from '../../../core/store/labels/insert-labels.ts';
import {
  findLoggedFeature,
  findParties,
} from '../../../core/store/labels/labelled-transactions.ts';
import { addUntold, removeUntold } from '../../../core/store/labels/untold-labels.ts';
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { engineOf } from '../../../kit/words/principal.ts';
import { type LabelOutcome, toEvent } from '../final-decision.ts';
import { REVIEW_LABEL_SOURCE } from '../policy.ts';
import { type DecidedCase, lockDecided } from '../store/cases.ts';
import { closeCases } from '../store/decisions.ts';

/** Cases of one step; with more, label requests wait longer for the locks of the step. */
const STEP_CASES = 100;
const AMOUNT_TO_MEDIAN = featureIndex('amount_to_median');

type Steps = {
  /** The lead, whose `transaction` proves that this process leads. */
  readonly writes: Pick<Database, 'transaction'>;
  readonly database: Pick<Database, 'query'>;
  /** Removes cached profiles that do not know the labels. */
  readonly invalidateLabelled: (transactionIds: readonly string[]) => Promise<void>;
};

export type Closed = Pick<DecidedCase, 'disposition' | 'priority'>;

/** @returns the cases that were closed; none where nothing is due */
export async function closeDecided(
  { writes, database, invalidateLabelled }: Steps,
  request: string,
): Promise<readonly Closed[]> {
  const { closed, labelled, rowId } = await writes.transaction(async (query) => {
    const due = await lockDecided(query, STEP_CASES);
    if (due.length === 0) return { closed: [], labelled: [] };
    const { labels, outcomes } = await makeLabels(query, due);
    await storeLabels(query, labels);
    const decisions = await closeCases(query, [...outcomes.keys()], [...outcomes.values()]);
    await addEvents(query, decisions.map(toEvent));
    await recordChanges(
      query,
      engineOf(request),
      [...outcomes].map(([subject, label]) => ({
        action: 'case.close',
        subject,
        before: { state: 'decided' },
        after: { state: 'closed', label },
      })),
    );
    const labelled = labels.map(({ label }) => label.transactionId);
    return { closed: due, labelled, rowId: await addUntold(query, labelled) };
  });
  // If this process ends here, or Redis is down, the duty that takes untold labels invalidates the profiles.
  if (rowId !== undefined) {
    await invalidateLabelled(labelled);
    await removeUntold(database.query, rowId);
  }
  return closed;
}

type Made = { readonly label: Label; readonly by: DecidedCase };

/** The label that a disposition makes; null: none. */
const LABELS: Readonly<Record<Disposition, LabelValue | null>> = {
  fraud: 'fraud',
  legitimate: 'legitimate',
  unsure: null,
};
const labelOf = ({ disposition }: DecidedCase) => disposition && LABELS[disposition];

/** Labels of certain decisions, and for each decision what became of its label. */
async function makeLabels(query: Query, due: readonly DecidedCase[]) {
  const idsOf = (cases: readonly DecidedCase[]) => cases.map(({ transaction_id: id }) => id);
  const certain = due.filter((dueCase) => labelOf(dueCase) !== null);
  const stored = certain.length === 0 ? [] : await findParties(query, idsOf(certain));
  const reachable = new Set(stored.map(({ transactionId }) => transactionId));
  const frauds = idsOf(certain.filter((dueCase) => labelOf(dueCase) === 'fraud'));
  const ratios =
    frauds.length === 0 ? null : await findLoggedFeature(query, frauds, AMOUNT_TO_MEDIAN);
  const labels: Made[] = [];
  const outcomes = new Map<string, LabelOutcome>();
  for (const dueCase of due) {
    const { transaction_id: id } = dueCase;
    const value = labelOf(dueCase);
    const isReachable = reachable.has(id);
    if (value !== null && isReachable) {
      labels.push({ label: toLabel(dueCase, value, ratios?.get(id) ?? null), by: dueCase });
    }
    outcomes.set(id, value === null ? 'none' : isReachable ? 'posted' : 'month_detached');
  }
  return { labels, outcomes };
}

function toLabel(
  decidedCase: DecidedCase,
  label: LabelValue,
  amountToMedian: number | null,
): Label {
  const createdAtMs = Date.parse(decidedCase.created_at);
  return {
    transactionId: decidedCase.transaction_id,
    createdAtMs,
    accountId: decidedCase.account_id,
    merchantId: decidedCase.merchant_id,
    label,
    source: REVIEW_LABEL_SOURCE,
    labelledAtMs: Math.max(Date.parse(decidedCase.decided_at ?? decidedCase.now), createdAtMs),
    amountToMedian: label === 'fraud' ? amountToMedian : null,
    note: null,
  };
}

/** Stores a batch for each reporter, with its labels in the order of their key. */
async function storeLabels(query: Query, labels: readonly Made[]): Promise<void> {
  const byReporter = Map.groupBy(labels, ({ by }) => JSON.stringify([by.client, by.identity]));
  for (const made of byReporter.values()) {
    const [first] = made;
    if (first === undefined) continue;
    const { client, identity, now } = first.by;
    const batchId = randomUUID();
    const sorted = made
      .map(({ label }) => label)
      .sort((left, right) => (left.transactionId < right.transactionId ? -1 : 1));
    const reporter = { client: client ?? REVIEW_LABEL_SOURCE, identity };
    await insertLabels(query, { batchId, receivedAtMs: Date.parse(now), reporter, labels: sorted });
  }
}
