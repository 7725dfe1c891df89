/**
 * Makes decisions final once they can no longer be undone: the label, the end of the case and the decision that stands on the
 * transaction are one commit, so a process that stops in between leaves all or nothing of it, and no label comes twice.
 */
import { randomUUID } from 'node:crypto';
import { featureIndex } from '../../../core/domain/feature-schema.ts';
import type { Label, LabelValue } from '../../../core/domain/label.ts';
import { insertLabels } from '../../../core/store/labels/insert-labels.ts';
import { deleteLabelBatches, openLabelBatch } from '../../../core/store/labels/label-batches.ts';
import {
  findLoggedFeature,
  findParties,
} from '../../../core/store/labels/labelled-transactions.ts';
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { engineOf } from '../../../kit/words/principal.ts';
import { REVIEW_LABEL_SOURCE } from '../policy.ts';
import {
  closeCases,
  type DecidedCase,
  type LabelOutcome,
  lockDecided,
} from '../store/final-decisions.ts';

/** Cases of one step: it holds locks of their transactions. */
const STEP_CASES = 100;
const AMOUNT_TO_MEDIAN = featureIndex('amount_to_median');

type Steps = {
  /** Its `transaction` proves that this process leads. */
  readonly writes: Pick<Database, 'transaction'>;
  readonly database: Pick<Database, 'query'>;
  /** Removes cached profiles that do not know the labels. */
  readonly invalidateLabelled: (transactionIds: readonly string[]) => Promise<void>;
};

export type Closed = { readonly disposition: string; readonly priority: number };

/** @returns the cases that were closed; none where nothing is due */
export async function closeDecided(
  { writes, database, invalidateLabelled }: Steps,
  request: string,
): Promise<readonly Closed[]> {
  const { closed, batchIds, labelled } = await writes.transaction(async (query) => {
    const due = await lockDecided(query, STEP_CASES);
    if (due.length === 0) return { closed: [], batchIds: [], labelled: [] };
    const { labels, outcomes } = await makeLabels(query, due);
    const batchIds = await storeLabels(query, labels);
    const rows = due.map(({ transactionId }) => ({
      ...{ transactionId, label: outcomes.get(transactionId) ?? ('none' as const) },
    }));
    await closeCases(query, rows);
    await recordChanges(
      query,
      engineOf(request),
      rows.map(({ transactionId, label }) => ({
        ...{ action: 'case.close', subject: transactionId, before: { state: 'decided' } },
        after: { state: 'closed', label },
      })),
    );
    const closed = due.map(({ disposition, priority }) => ({
      disposition: disposition ?? '',
      priority,
    }));
    return { closed, batchIds, labelled: labels.map(({ label }) => label.transactionId) };
  });
  // Where this process ends here, or Redis is down, the duty that finishes label batches does it.
  if (labelled.length > 0) {
    await invalidateLabelled(labelled);
    await deleteLabelBatches(database, batchIds);
  }
  return closed;
}

type Made = { readonly label: Label; readonly by: DecidedCase };

async function makeLabels(query: Query, due: readonly DecidedCase[]) {
  const certain = due.filter(({ disposition }) => disposition !== 'unsure');
  const ids = certain.map(({ transactionId }) => transactionId);
  const stored = ids.length === 0 ? [] : await findParties(query, ids);
  const reachable = new Set(stored.map(({ transactionId }) => transactionId));
  const frauds = certain.filter(({ disposition }) => disposition === 'fraud');
  const ratios =
    frauds.length === 0
      ? new Map<string, number>()
      : await findLoggedFeature(
          query,
          frauds.map(({ transactionId }) => transactionId),
          AMOUNT_TO_MEDIAN,
        );
  const labels: Made[] = certain
    .filter(({ transactionId }) => reachable.has(transactionId))
    .map((one) => ({ label: toLabel(one, ratios.get(one.transactionId) ?? null), by: one }));
  const outcomes = new Map<string, LabelOutcome>(
    ids.map((id) => [id, reachable.has(id) ? 'posted' : 'month_detached']),
  );
  return { labels, outcomes };
}

function toLabel(one: DecidedCase, amountToMedian: number | null): Label {
  const { transactionId, createdAtMs, accountId, merchantId, decidedAtMs, disposition } = one;
  const label: LabelValue = disposition === 'fraud' ? 'fraud' : 'legitimate';
  return {
    ...{ transactionId, createdAtMs, accountId, merchantId, label, source: REVIEW_LABEL_SOURCE },
    labelledAtMs: Math.max(decidedAtMs ?? one.nowMs, createdAtMs),
    ...{ amountToMedian: label === 'fraud' ? amountToMedian : null, note: null },
  };
}

/** One batch a reporter, each in the order of its key. */
async function storeLabels(query: Query, labels: readonly Made[]): Promise<string[]> {
  const byReporter = Map.groupBy(labels, ({ by }) => JSON.stringify([by.client, by.identity]));
  const batchIds: string[] = [];
  for (const made of byReporter.values()) {
    const [first] = made;
    if (first === undefined) continue;
    const { client, identity, nowMs } = first.by;
    const batchId = randomUUID();
    const sorted = made
      .map(({ label }) => label)
      .sort((one, other) => (one.transactionId < other.transactionId ? -1 : 1));
    const reporter = { client: client ?? REVIEW_LABEL_SOURCE, identity };
    await insertLabels(query, { batchId, receivedAtMs: nowMs, reporter, labels: sorted });
    await openLabelBatch(
      query,
      batchId,
      sorted.map(({ transactionId }) => transactionId),
    );
    batchIds.push(batchId);
  }
  return batchIds;
}
