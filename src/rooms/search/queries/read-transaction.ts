/**
 * `GET /v1/transactions/{id}?expand=…`: one transaction, its outcome, and what the request names. For a client that may see only
 * its own transactions, another's is unknown: the statement names the client, so both take the same path.
 */
import { z } from 'zod';
import { withReleases } from '../../../core/domain/control.ts';
import { DISPOSITIONS } from '../../../core/domain/disposition.ts';
import { labelFor, storedLabelSchema } from '../../../core/domain/label.ts';
import { type ScoreJson, scoreSchema } from '../../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import {
  storedTransactionSchema,
  toTransactionJson,
} from '../../../core/domain/transaction-record.ts';
import type { Api } from '../../../core/room.ts';
import { readStoredHistory } from '../../../core/store/labels/label-history.ts';
import { refuseDetached } from '../../../core/store/partitions/partitions.ts';
import { findScore } from '../../../core/store/scores/read-scores.ts';
import { readStoredTransaction } from '../../../core/store/transactions/read-transactions.ts';
import {
  type AnswerCache,
  type CacheMetrics,
  createAnswerCache,
  type MadeAnswer,
  type ServedAnswer,
} from '../../../kit/caches/answer-cache.ts';
import {
  type Databases,
  readFrom,
  withLag,
} from '../../../kit/database/replica/choose-database.ts';
import { isPrimaryAway } from '../../../kit/process/primary-away.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { explainScore, explanationSchema } from './explain-score.ts';
import { FIELD_NAMES, fieldsParameter } from './fields.ts';
import { neighboursSchema, readNeighbours } from './neighbours.ts';

const EXPANSIONS = ['score', 'explanation', 'labels', 'neighbours'] as const;
type Expansion = (typeof EXPANSIONS)[number];

const expand = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(EXPANSIONS)).transform((given) => new Set(given)));

export const transactionParameters = z.strictObject({
  expand: expand.optional().meta({
    description: `Adds to the answer what it names, with commas between: ${EXPANSIONS.join(', ')}. \`explanation\` takes the role analyst.`,
    override: { type: 'string', examples: ['score,labels,neighbours'] },
  }),
  fields: fieldsParameter(
    FIELD_NAMES.transaction,
    'account_id,amount,status',
    ' What `expand` names is added.',
  ),
});

/** Labels of one transaction that an answer has at most; `GET /v1/labels` lists all of them. */
const HISTORY_LABELS_MAX = 200;

const labelHistorySchema = z
  .object({
    complete: z.boolean().meta({
      description: `False where the transaction has more than ${HISTORY_LABELS_MAX} labels: the newest are here, and \`GET /v1/labels\` lists all.`,
    }),
    items: z.array(storedLabelSchema).meta({ description: 'Oldest first: the last is current.' }),
  })
  .meta({ id: 'LabelHistory' });

export const transactionDetailSchema = storedTransactionSchema
  .extend({
    final_decision: z
      .object({ disposition: z.enum(DISPOSITIONS), final_at: z.iso.datetime() })
      .nullable()
      .meta({ description: 'What people decided in a review; it stands above the verdict.' }),
    score: scoreSchema.nullable().optional().meta({ description: 'Null where it is not scored.' }),
    explanation: explanationSchema.nullable().optional().meta({
      description:
        'Null where it is not scored, or where this version lacks the rule set or model of the score: `GET /v1/scores/{id}/explanation` says which.',
    }),
    labels: labelHistorySchema.optional(),
    neighbours: neighboursSchema.optional(),
  })
  .meta({ id: 'TransactionDetail' });
type TransactionDetailJson = z.infer<typeof transactionDetailSchema>;

/** Bytes of 30,000 scores. Smaller: more reads go to Postgres; larger: the API, which has 256 MiB, lacks memory. */
const BYTES_MAX = 48 * 1024 * 1024;
const AGE_MS_MAX = 24 * 3_600_000;

/** @param client finds only this client's scores, as if no others existed; null finds all */
type ScoreQuestion = { readonly transactionId: string; readonly client: string | null };
type ScoreCache = AnswerCache<ScoreQuestion>;

/** An API process with the scores that it has in memory. */
export type Parts = Api & { readonly scores: ScoreCache };

/** Undefined when unknown. @throws MonthDetached where the transaction's month is detached */
export async function readTransaction(
  databases: Databases,
  transactionId: string,
  client: string | null,
): Promise<TransactionDetailJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const found = await readFrom(
    databases,
    createdAtMs,
    (database) => readStoredTransaction(database, transactionId, createdAtMs, client),
    // Any other status may have changed since; a scored transaction changes by a decision of people alone, which may lag.
    (answer) => answer?.status === 'scored',
  );
  if (found === undefined) {
    await refuseDetached(databases.primary, createdAtMs);
    return undefined;
  }
  const { finalDecision: decision } = found;
  return {
    ...toTransactionJson(found),
    final_decision: decision && {
      disposition: decision.disposition,
      final_at: new Date(decision.finalAt).toISOString(),
    },
  };
}

/** @param client adds only what this client sees; null adds all */
export async function expandTransaction(
  databases: Databases,
  { models, scores, controls }: Pick<Parts, 'models' | 'scores' | 'controls'>,
  transaction: TransactionDetailJson,
  client: string | null,
  expansions: ReadonlySet<Expansion>,
): Promise<TransactionDetailJson> {
  const { transaction_id: transactionId, status } = transaction;
  const expanded: TransactionDetailJson = { ...transaction };
  // A score that is stored meanwhile is left out, as the status would contradict it.
  const isScored = status === 'scored';
  if (expansions.has('score')) {
    const question = { transactionId, client };
    const served = isScored ? await scores.read(question, databases.isPrimaryAlone) : undefined;
    const score = served && (JSON.parse(served.answer.text) as ScoreJson);
    expanded.score = score ? withReleases(controls.current(), score) : null;
  }
  if (expansions.has('explanation')) {
    const explained = isScored ? explainScore(databases, models, transactionId, 'path') : undefined;
    expanded.explanation = (await explained?.catch(unlessLacking)) ?? null;
  }
  if (expansions.has('labels')) {
    const rows = HISTORY_LABELS_MAX + 1;
    const createdAtMs = Date.parse(transaction.created_at);
    // A label may come at any time, so only the primary has all of them.
    const labels = await readStoredHistory(databases.primary, transactionId, createdAtMs, rows);
    const items = labels.slice(-HISTORY_LABELS_MAX).map((label) => labelFor(client, label));
    expanded.labels = { complete: labels.length < rows && !isPrimaryAway(), items };
  }
  if (expansions.has('neighbours')) {
    expanded.neighbours = await readNeighbours(databases, transaction, client);
  }
  return expanded;
}

/** An explanation is absent where this version lacks what made the score. */
function unlessLacking(error: unknown): undefined {
  if (error instanceof Failure && error.kind === 'conflict') return undefined;
  throw error;
}

/**
 * `GET /v1/scores/{id}`: one score, from memory once read, or why there is none. A client that may see only its own scores is
 * named in each statement and in the key in memory, so that another client's score is unknown.
 */
export function createScoreCache(
  databases: Databases,
  metrics: CacheMetrics,
  nowMs?: () => number,
): ScoreCache {
  return createAnswerCache<ScoreQuestion>({
    name: () => 'scores',
    metrics,
    bytesMax: BYTES_MAX,
    keyOf: ({ transactionId, client }) =>
      client === null ? transactionId : `${transactionId} ${client}`,
    ageMsMax: () => AGE_MS_MAX,
    make: (question, isPrimaryAlone) => makeScore({ ...databases, isPrimaryAlone }, question),
    readVersion: null,
    ...(nowMs && { nowMs }),
  });
}

async function makeScore(
  databases: Databases,
  { transactionId, client }: ScoreQuestion,
): Promise<MadeAnswer | undefined> {
  const { answer, lagMs } = await withLag(databases, (databases) =>
    findScore(databases, transactionId, client),
  );
  return answer && { text: JSON.stringify(answer), version: undefined, lagMs };
}

/** Why there is no score to answer. */
export type Unscored = 'pending' | 'dead-letter' | 'unknown';

export async function readScore(
  { primary, isPrimaryAlone }: Databases,
  cache: Pick<ScoreCache, 'read'>,
  question: ScoreQuestion,
): Promise<ServedAnswer | Unscored> {
  const { transactionId, client } = question;
  const served = await cache.read(question, isPrimaryAlone);
  if (served !== undefined) return served;
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return 'unknown';
  const transaction = await readStoredTransaction(primary, transactionId, createdAtMs, client);
  switch (transaction?.status) {
    case undefined:
      await refuseDetached(primary, createdAtMs);
      return 'unknown';
    case 'dead_lettered':
      return 'dead-letter';
    case 'accepted':
      return 'pending';
    case 'scored':
      // The score was stored between the two reads.
      return (await cache.read(question, isPrimaryAlone)) ?? 'pending';
  }
}
