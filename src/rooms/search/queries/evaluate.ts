/**
 * `POST /v1/evaluate`: what a transaction would score, now or at a time of its own, with its explanation.
 * Histories are rebuilt from Postgres, the definition that workers' profiles are compared with; nothing is
 * stored.
 */
import { z } from 'zod';
import { explanationParts } from '../../../core/domain/explanation.ts';
import { NO_MODEL, scoreSchema } from '../../../core/domain/score-record.ts';
import type { Transaction } from '../../../core/domain/transaction.ts';
import { createRecomputeVectors } from '../../../core/profile/recompute-vectors.ts';
import type { Api } from '../../../core/room.ts';
import { askInputs } from '../../../core/score/ask-inputs.ts';
import { explain } from '../../../core/score/explain.ts';
import { failedRules } from '../../../core/score/failed-rules.ts';
import type { JudgingModel, Models } from '../../../core/score/judge.ts';
import { inputsOf, recordInputs } from '../../../core/score/rules/rule-inputs.ts';
import { rulesInForce } from '../../../core/score/rules-in-force.ts';
import { score } from '../../../core/score/score.ts';
import { readRuleSetsInForce } from '../../../core/store/rule-sets/rule-sets.ts';
import { readSwitches } from '../../../core/store/switches/switches.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { explanationParameters, explanationPartsExample } from './explain-score.ts';

export const evaluationParameters = explanationParameters.extend({
  model: z.string().min(1).max(128).optional().meta({
    description:
      'A registered model (`name@version`) to judge by, or `none` for the rules alone; by default what is in force for the corridor and account.',
  }),
});
type EvaluationParameters = z.infer<typeof evaluationParameters>;

export const evaluationSchema = scoreSchema
  .omit({ transaction_id: true, scored_at: true, attempts: true, releases_held: true })
  .extend({ explanation: z.object(explanationParts) })
  .meta({ id: 'Evaluation' });
type EvaluationJson = z.infer<typeof evaluationSchema>;

/** @throws InvalidFields where the requested model cannot judge */
export async function evaluate(
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
  const [vector] = await createRecomputeVectors(database, maturityDays)([transaction]);
  if (vector === undefined) throw new Error('one transaction has one vector');
  const { model, degradation } = judge;
  const rules = rulesInForce(await readSwitches(database), await readRuleSetsInForce(database));
  const ruleSet = rules.decides(transaction);
  const ruleInputs = recordInputs(
    ruleSet,
    transaction,
    await askInputs(inputSources, [transaction], [ruleSet]),
  );
  const inputs = inputsOf(ruleSet, transaction, ruleInputs);
  const opinion = model?.judge([vector])[0] ?? null;
  const { reasons, ...decision } = score({ vector, ruleSet, opinion, inputs });
  const hasFailed = failedRules(ruleSet).length > 0;
  const { probability } = decision;
  const explained = explain({ features: vector, probability, inputs }, ruleSet);
  const ofModel = model?.explain(vector, method) ?? null;
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

export const evaluationExample: EvaluationJson = {
  account_id: 'acc_17',
  corridor: 'US-EG',
  created_at: '2026-11-20T09:30:00.000Z',
  score: 290,
  risk: 0.29,
  probability: 0.29,
  verdict: 'approve',
  reasons: [
    {
      code: 'MODEL_PROBABILITY',
      detail: 'The model sees fraud with a probability of 29.0 %',
      contribution: 290,
    },
  ],
  rule_set: 'default@3',
  model: 'fraud@2026-11-20',
  degradation: 0,
  explanation: explanationPartsExample,
};
