/** `GET /v1/transactions/{id}?expand=…`: adds to a transaction what the request names. */
import type { ScoreJson } from '../../../core/domain/score-record.ts';
import { HISTORY_LABELS_MAX, toLabelJson } from '../../../core/read/label-json.ts';
import type {
  Expansion,
  StoredTransactionJson,
  TransactionDetailJson,
} from '../../../core/read/transaction-json.ts';
import type { Models } from '../../../core/score/judge.ts';
import { readStoredHistory } from '../../../core/store/labels/label-search.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { explainScore } from './explain-score.ts';
import { readNeighbours } from './neighbours.ts';

type Reads = {
  readonly databases: Databases;
  readonly models: Models;
  readonly findScore: (id: string, client: string | null) => Promise<ScoreJson | undefined>;
};

/** @param client adds only what this client sees; null adds all */
export async function expandTransaction(
  { databases, models, findScore }: Reads,
  transaction: TransactionDetailJson,
  client: string | null,
  expansions: ReadonlySet<Expansion>,
): Promise<TransactionDetailJson> {
  const { transaction_id: id, status } = transaction;
  const expanded: TransactionDetailJson = { ...transaction };
  // A score that is stored meanwhile is left out, as the status would contradict it.
  const isScored = status === 'scored';
  if (expansions.has('score')) {
    expanded.score = isScored ? ((await findScore(id, client)) ?? null) : null;
  }
  if (expansions.has('explanation')) {
    const result = isScored ? await explainScore(databases, models, id, 'path') : undefined;
    expanded.explanation = result?.kind === 'explained' ? result.explanation : null;
  }
  if (expansions.has('labels')) expanded.labels = await readLabels(databases, transaction, client);
  if (expansions.has('neighbours')) {
    expanded.neighbours = await readNeighbours(databases, transaction, client);
  }
  return expanded;
}

/** A label may come at any time, so only the primary has all of them. */
async function readLabels(
  { primary }: Pick<Databases, 'primary'>,
  { transaction_id: id, created_at: createdAt }: StoredTransactionJson,
  client: string | null,
): Promise<TransactionDetailJson['labels']> {
  const rows = HISTORY_LABELS_MAX + 1;
  const labels = await readStoredHistory(primary, id, Date.parse(createdAt), rows);
  const items = labels.slice(-HISTORY_LABELS_MAX).map((label) => toLabelJson(label, client));
  return { complete: labels.length < rows, items };
}
