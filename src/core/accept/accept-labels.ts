/**
 * Accepts labels: finds the transactions they name, adds them in one commit, then invalidates the profiles that
 * count labels. All or nothing: a label that is wrong refuses the request, and nothing of it is stored.
 *
 * A label is unique by (transaction, source, label, labelled_at), so a repetition adds nothing. The batch id in
 * the rows distinguishes a try whose commit was not confirmed from another request.
 *
 * The commit also holds a row that says that profiles may be out of date. The row is deleted once they are
 * invalidated; where this process ends before, a worker does both (label-duty.ts).
 */
import type { Database, Query } from '../../kit/database/pool.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { MonthDetached, monthOf, monthText } from '../../kit/words/month.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import { LABEL_LIMITS, type Label, type LabelInput, type LabelReporter } from '../domain/label.ts';
import { createdAtMsOf } from '../domain/transaction.ts';
import { findKnownKeys } from '../store/idempotency-keys/key-slices.ts';
import { insertLabels, whyStillRunning } from '../store/labels/insert-labels.ts';
import {
  findLoggedFeature,
  findParties,
  type Parties,
} from '../store/labels/labelled-transactions.ts';
import { addUntold, removeUntold } from '../store/labels/untold-labels.ts';
import { findDetachedMonths } from '../store/partitions/partitions.ts';
import type { Ingest } from './ingest.ts';
import { type InputError, newTransactionId } from './prepare-transactions.ts';
import { retryStore } from './shared-commits.ts';

const AMOUNT_TO_MEDIAN = featureIndex('amount_to_median');

/** Parts of the process that labels need. */
export type LabelIngest = Pick<
  Ingest,
  ('database' | 'partitions' | 'failpoint') | ('invalidateLabelled' | 'metrics' | 'onLabelled')
>;

/** The request uses the idempotency keys of the reporter's client. */
type AcceptLabelsRequest = LabelReporter & {
  /** The client whose transactions may be named by id; null for all clients. */
  readonly clientSeen: string | null;
  /** At most 1,000. */
  readonly inputs: readonly LabelInput[];
};

type LabelOutcome = {
  readonly transactionId: string;
  readonly status: 'accepted' | 'unchanged';
};

type AcceptLabelsResult =
  | { readonly kind: 'accepted'; readonly outcomes: readonly LabelOutcome[] }
  | LabelsRefused;

export type LabelsRefused = {
  /** `month-detached`: every label could be stored if its transaction's month were attached. */
  readonly kind: 'invalid' | 'month-detached';
  readonly errors: readonly InputError[];
};

export async function acceptLabels(
  ingest: LabelIngest,
  request: AcceptLabelsRequest,
  receivedAtMs: number = Date.now(),
): Promise<AcceptLabelsResult> {
  const { database, partitions, failpoint, invalidateLabelled } = ingest;
  const { metrics, onLabelled } = ingest;
  const batchId = newTransactionId(receivedAtMs);
  const reporter = { client: request.client, identity: request.identity };
  const stored = await retryStore(async () => {
    const { labels, errors, detached } = await resolve(database, request, receivedAtMs);
    const refused: LabelsRefused = {
      kind: errors.length > 0 ? 'invalid' : 'month-detached',
      errors: [...errors, ...detached].sort((left, right) => left.index - right.index),
    };
    if (refused.errors.length > 0) return refused;
    const { rows, rowOf } = distinct(labels);
    const months = await partitions.ensure(rows.map((row) => row.createdAtMs));
    if (months.detached.size > 0) throw new MonthDetached(months.detached);
    const add = async (query: Query) => {
      const batch = { batchId, receivedAtMs, reporter, labels: rows };
      const own = (await insertLabels(query, batch)).flatMap((at) => rows[at] ?? []);
      const ids = own.map(({ transactionId }) => transactionId);
      const rowId = await addUntold(query, ids);
      for (const addOwn of onLabelled) await addOwn(query, own);
      return { own, rowId };
    };
    const { own, rowId } = await database.transaction(add).catch(async (error: unknown) => {
      throw await whyStillRunning(database, error);
    });
    return { rowOf, rows, added: new Set(own), rowId };
  }, partitions.forget);
  if ('kind' in stored) return stored;
  const { rowOf, rows, added, rowId } = stored;
  for (const { label, labelledAtMs, createdAtMs } of added) {
    metrics.labels.inc({ label });
    metrics.labelDelay.observe({ label }, (labelledAtMs - createdAtMs) / 1000);
  }
  failpoint('api-after-labels-commit');
  // Also with unchanged labels: an earlier request may have ended between its commit and this call.
  await invalidateLabelled([...new Set(rows.map((row) => row.transactionId))]);
  if (rowId !== undefined) await removeUntold(database.query, rowId);
  // Where a request has a label twice, the first is the one that was added.
  const outcomes = rowOf.map((row) => ({
    transactionId: row.transactionId,
    status: added.delete(row) ? ('accepted' as const) : ('unchanged' as const),
  }));
  return { kind: 'accepted', outcomes };
}

/**
 * Pairs labels with the transactions they name; refuses labels that are invalid by the stores or the clock.
 * @returns `detached`: labels whose transaction, if it exists, is in a detached month
 */
async function resolve(
  database: Pick<Database, 'query'>,
  { client, clientSeen, inputs }: AcceptLabelsRequest,
  receivedAtMs: number,
) {
  const keys = [...new Set(inputs.flatMap(({ idempotency_key: key }) => key ?? []))];
  const known = keys.length === 0 ? [] : await findKnownKeys(database.query, client, keys);
  const idOfKey = new Map(known.map((key) => [keys[key.position], key.transactionId]));
  const ids = inputs.map(
    ({ transaction_id: id, idempotency_key: key }) => id ?? idOfKey.get(key ?? ''),
  );
  const named = [...new Set(ids)].flatMap((id) => id ?? []);
  const found = named.length === 0 ? [] : await findParties(database.query, named);
  const parties = found.filter(({ client: owner }) => clientSeen === null || owner === clientSeen);
  const partiesOf = new Map(parties.map((party) => [party.transactionId, party]));
  const frauds = inputs.flatMap(({ label }, index) =>
    label === 'fraud' && partiesOf.has(ids[index] ?? '') ? (ids[index] ?? []) : [],
  );
  const ratios =
    frauds.length === 0
      ? null
      : await findLoggedFeature(database.query, [...new Set(frauds)], AMOUNT_TO_MEDIAN);
  const unknown = named.filter((id) => !partiesOf.has(id)).map((id) => createdAtMsOf(id) ?? 0);
  const months = await findDetachedMonths(database.query, unknown);
  const labels: Label[] = [];
  const errors: InputError[] = [];
  const detached: InputError[] = [];
  for (const [index, input] of inputs.entries()) {
    const month = monthOf(createdAtMsOf(ids[index] ?? '') ?? 0);
    if (months.has(month)) {
      const field = input.idempotency_key === undefined ? 'transaction_id' : 'idempotency_key';
      const detail = `names a transaction in ${monthText(month)}, which is detached`;
      detached.push({ index, field, detail });
      continue;
    }
    const result = toLabel(input, partiesOf.get(ids[index] ?? ''), receivedAtMs);
    if ('problem' in result) {
      errors.push({ index, ...result.problem });
      continue;
    }
    const amountToMedian =
      result.label === 'fraud' ? (ratios?.get(result.transactionId) ?? null) : null;
    labels.push({ ...result, amountToMedian });
  }
  return { labels, errors, detached };
}

type Problem = { readonly problem: { readonly field: string; readonly detail: string } };

function toLabel(
  input: LabelInput,
  parties: Parties | undefined,
  receivedAtMs: number,
): Omit<Label, 'amountToMedian'> | Problem {
  const { transaction_id: id, idempotency_key: key, labelled_at: labelledAt } = input;
  if (parties === undefined) {
    return key === undefined
      ? problem('transaction_id', `must be the id of a transaction, not ${given(id)}`)
      : problem(
          'idempotency_key',
          `must be a key of this client that is not forgotten yet, not ${given(key)}: name older transactions by id`,
        );
  }
  const createdAtMs = createdAtMsOf(parties.transactionId) ?? 0;
  const labelledAtMs = Date.parse(labelledAt);
  if (labelledAtMs < createdAtMs) {
    return problem(
      'labelled_at',
      `must be the created_at of its transaction (${new Date(createdAtMs).toISOString()}) or later, not ${given(labelledAt)}`,
    );
  }
  if (labelledAtMs > receivedAtMs + LABEL_LIMITS.labelledAtAheadMsMax) {
    return problem('labelled_at', `must be at most five minutes ahead, not ${given(labelledAt)}`);
  }
  const { label, source, note = null } = input;
  return { ...parties, createdAtMs, label, labelledAtMs, source, note };
}

function problem(field: string, detail: string): Problem {
  return { problem: { field, detail } };
}

/** The distinct labels as rows, sorted by primary key, and the row of each label. */
function distinct(labels: readonly Label[]): { rows: Label[]; rowOf: Label[] } {
  const byKey = new Map<string, Label>();
  const rowOf = labels.map((label) => {
    const key = keyOf(label);
    const row = byKey.get(key) ?? label;
    byKey.set(key, row);
    return row;
  });
  const keys = [...byKey.keys()].sort();
  return { rows: keys.flatMap((key) => byKey.get(key) ?? []), rowOf };
}

/** Parts of a fixed length come first, so that no two labels have one key. */
function keyOf({ transactionId, labelledAtMs, label, source }: Label): string {
  return `${transactionId} ${new Date(labelledAtMs).toISOString()} ${label} ${source}`;
}
