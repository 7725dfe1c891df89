/** What-ifs: `/v1/evaluate` scores a transaction that nobody submitted, and `/what-if` a scored one with other fields. */
import { z } from 'zod';
import { readContext } from '../../../core/accept/accept-transactions.ts';
import { transactionInput } from '../../../core/accept/examples.ts';
import {
  type ContextFields,
  findInvalid,
  type IngestContext,
  toTransaction,
} from '../../../core/accept/prepare-transactions.ts';
import { readOneInput } from '../../../core/accept/transaction-input.ts';
import { explanationParts } from '../../../core/domain/explanation.ts';
import { NO_MODEL, scoreSchema } from '../../../core/domain/score-record.ts';
import {
  createdAtMsOf,
  type Transaction,
  transactionInputSchema,
} from '../../../core/domain/transaction.ts';
import { createRecomputeVectors } from '../../../core/profile/recompute-vectors.ts';
import { requireOn } from '../../../core/require-on.ts';
import type { Api } from '../../../core/room.ts';
import { explain } from '../../../core/score/explain.ts';
import type { JudgingModel, Models } from '../../../core/score/judge.ts';
import { askInputs, inputsOf, recordInputs } from '../../../core/score/rules/rule-inputs.ts';
import { failedRules, rulesInForce } from '../../../core/score/rules-in-force.ts';
import { score } from '../../../core/score/score.ts';
import { judgedVector } from '../../../core/score/scorecard/judge-by-table.ts';
import { readControls } from '../../../core/store/controls/controls.ts';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { readRuleSetsInForce } from '../../../core/store/rule-sets/rule-sets.ts';
import { findTableAt } from '../../../core/work/day-tables.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { answer, bodyOf, change, type Operation } from '../../../kit/http/operation.ts';
import { InvalidFields, jsonPointer } from '../../../kit/words/field-errors.ts';
import { explanationParameters } from '../queries/explain-score.ts';
import type { Parts } from '../queries/read-transaction.ts';
import { changesSchema, whatIf, whatIfSchema } from '../queries/what-if.ts';
import { refuseUnscored } from './scores.ts';
import { transactionPath } from './transactions.ts';

/**
 * `POST /v1/evaluate`: what a transaction would score, now or at a time of its own, with its explanation.
 * Histories are rebuilt from Postgres, the definition that workers' profiles are compared with; nothing is
 * stored.
 */

const evaluationParameters = explanationParameters.extend({
  model: z.string().min(1).max(128).optional().meta({
    description:
      'A registered model (`name@version`) to judge by, or `none` for the rules alone; by default what is in force for the corridor and account.',
  }),
});
type EvaluationParameters = z.infer<typeof evaluationParameters>;

const evaluationSchema = scoreSchema
  .omit({ transaction_id: true, scored_at: true, attempts: true, releases_held: true })
  .extend({ explanation: z.object(explanationParts) })
  .meta({ id: 'Evaluation' });
type EvaluationJson = z.infer<typeof evaluationSchema>;

/** @throws InvalidFields where the requested model cannot judge */
async function evaluate(
  database: Database,
  { models, inputSources }: Pick<Api, 'models' | 'inputSources'>,
  maturityDays: number,
  transaction: Transaction,
  { model: wanted, method }: EvaluationParameters,
): Promise<EvaluationJson> {
  const judge =
    wanted === undefined
      ? await models.findInForce(transaction)
      : { model: await findByName(models, wanted), degradation: 0 };
  const table = await findTableAt(database.query, transaction.createdAtMs);
  const recomputeVectors = createRecomputeVectors(database, maturityDays);
  const [vector] = await recomputeVectors([transaction], [table?.table ?? null]);
  if (vector === undefined) throw new Error('one transaction has one vector');
  const { model, degradation } = judge;
  const rules = rulesInForce(await readControls(database), await readRuleSetsInForce(database));
  const ruleSet = rules.decides(transaction, table);
  const ruleInputs = recordInputs(
    ruleSet,
    transaction,
    await askInputs(inputSources, [transaction], [ruleSet]),
  );
  const inputs = inputsOf(ruleSet, transaction, ruleInputs);
  const judged = judgedVector(vector, table, transaction.createdAtMs);
  const opinion = model?.judge([judged])[0] ?? null;
  const { reasons, byRules: _, ...decision } = score({ vector, ruleSet, opinion, inputs });
  const hasFailed = failedRules(ruleSet).length > 0;
  const { probability } = decision;
  const slots = await readSlots(database.query);
  const explained = explain({ features: vector, probability, inputs, slots }, ruleSet);
  // Where the model says nothing, the rules have decided.
  const ofModel = (opinion && (await model?.explain(judged, method))) ?? null;
  return {
    account_id: transaction.accountId,
    corridor: transaction.corridor,
    created_at: new Date(transaction.createdAtMs).toISOString(),
    ...decision,
    reasons: [...reasons],
    rule_set: ruleSet.id,
    model: ofModel?.model ?? null,
    degradation: Math.max(degradation, hasFailed ? 1 : 0),
    explanation: { ...explained, model: ofModel },
  };
}

async function findByName(models: Models, name: string): Promise<JudgingModel | null> {
  if (name === NO_MODEL) return null;
  const found = await models.find(name);
  if ('model' in found) return found.model;
  throw new InvalidFields([
    { pointer: '/model', detail: `must be a model that can be loaded: '${name}' ${found.problem}` },
  ]);
}

/** Every field at its longest, escaped, has less. */
const CHANGES_BYTES_MAX = 16 * 1024;

/** Checks the fields as ingest checks those of a transaction. @throws InvalidFields */
function refuseInvalid(fields: ContextFields, context: IngestContext): void {
  // The HTTP edge has replaced personal values by tokens.
  const invalid = findInvalid([fields], { ...context, personal: [] });
  if (invalid.length === 0) return;
  throw new InvalidFields(
    invalid.map(({ field, detail }) => ({ pointer: jsonPointer([field]), detail })),
  );
}

export const evaluateOperations: readonly Operation<Parts>[] = [
  change({
    at: '/v1/transactions/{id}/what-if',
    operationId: 'changeTransaction',
    summary: 'What a scored transaction would score with other fields; nothing is stored',
    description:
      'By the rule set and model of the stored score, as of the `created_at` of the transaction or the one that is given, without the transaction itself. Features that the changes do not move keep the values that were logged, so no change gives the stored score.',
    'x-writes-nothing': true,
    roles: ['analyst'],
    path: transactionPath,
    body: {
      ...bodyOf(changesSchema, { amount: '12.50', device_id: null }),
      bytesMax: CHANGES_BYTES_MAX,
    },
    answers: {
      200: answer('Score, reasons, and the features that the changes move.', whatIfSchema),
    },
    problems: [404, 409, 410],
    run: async ({ path: { id }, body: changes, c }, parts: Parts) => {
      const { databases, config, ingest, controls } = parts;
      requireOn(controls, 'what-if');
      // Only what is changed is checked: a corridor of the past may be closed today. A currency is judged by the time of the payment.
      const storedAtMs = createdAtMsOf(id);
      const created_at = storedAtMs === undefined ? undefined : new Date(storedAtMs).toISOString();
      refuseInvalid({ created_at, ...changes }, readContext(ingest));
      const { RISK_LABEL_MATURITY_DAYS: maturityDays } = config;
      const changed = await whatIf(databases.primary, parts, maturityDays, id, changes);
      return changed ?? (await refuseUnscored(c, parts, id));
    },
  }),
  change({
    at: '/v1/evaluate',
    operationId: 'evaluateTransaction',
    summary: 'What a transaction would score; nothing is stored',
    description:
      'Histories are read from the stored transactions as of its `created_at`, which is now by default. An idempotency key is of no consequence.',
    'x-writes-nothing': true,
    roles: ['analyst', 'risk_officer'],
    query: evaluationParameters,
    body: { schema: transactionInputSchema, example: transactionInput, read: readOneInput },
    answers: { 200: answer('Score and explanation.', evaluationSchema) },
    run: async ({ query, body: input }, parts: Parts) => {
      const { databases, config, ingest, controls } = parts;
      requireOn(controls, 'what-if');
      const context = readContext(ingest);
      refuseInvalid(input, context);
      const transaction = { ...toTransaction(input, context), receivedAtMs: context.nowMs };
      const { RISK_LABEL_MATURITY_DAYS: maturityDays } = config;
      return await evaluate(databases.primary, parts, maturityDays, transaction, query);
    },
  }),
];
