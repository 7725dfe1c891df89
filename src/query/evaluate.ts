/**
 * `POST /v1/evaluate`: what a transaction would score, now or at a time of its own, with its explanation.
 * Histories are rebuilt from Postgres, the definition that workers' profiles are compared with; nothing is
 * stored.
 */
import { z } from 'zod';
import type { WholeExplanation } from '../domain/explanation.ts';
import { InvalidFields, jsonPointer } from '../domain/field-error.ts';
import { type Decision, scoreSchema } from '../domain/score-record.ts';
import type { Transaction, TransactionInput } from '../domain/transaction.ts';
import { explanationParameters, explanationParts, toExplanationParts } from './explain-score.ts';

export const evaluationParameters = explanationParameters.extend({
  model: z.string().min(1).max(128).optional().meta({
    description:
      'A registered model (`name@version`) to judge by, or `none` for the rules alone; by default what is in force for the corridor and account.',
  }),
});
export type EvaluationParameters = z.infer<typeof evaluationParameters>;

export const evaluationSchema = scoreSchema
  .omit({ transaction_id: true, scored_at: true, attempts: true })
  .extend({ explanation: z.object(explanationParts) })
  .meta({ id: 'Evaluation' });
export type EvaluationJson = z.infer<typeof evaluationSchema>;

export type Evaluated = {
  readonly decision: Decision;
  readonly explanation: WholeExplanation;
  readonly degradation: number;
};

export type EvaluateDependencies = {
  /** Problems by the clock and the list of corridors, by field. */
  readonly findInvalid: (
    input: TransactionInput,
  ) => readonly { readonly field: string; readonly detail: string }[];
  readonly toTransaction: (input: TransactionInput) => Transaction;
  /** A sentence where the requested model cannot judge. */
  readonly evaluate: (
    transaction: Transaction,
    parameters: EvaluationParameters,
  ) => Promise<Evaluated | string>;
};

/** @throws InvalidFields */
export async function evaluateTransaction(
  { findInvalid, toTransaction, evaluate }: EvaluateDependencies,
  input: TransactionInput,
  parameters: EvaluationParameters,
): Promise<EvaluationJson> {
  const invalid = findInvalid(input);
  if (invalid.length > 0) {
    throw new InvalidFields(
      invalid.map(({ field, detail }) => ({ pointer: jsonPointer([field]), detail })),
    );
  }
  const transaction = toTransaction(input);
  const evaluated = await evaluate(transaction, parameters);
  if (typeof evaluated === 'string') {
    throw new InvalidFields([{ pointer: '/model', detail: evaluated }]);
  }
  const { decision, explanation, degradation } = evaluated;
  return {
    account_id: transaction.accountId,
    corridor: transaction.corridor,
    created_at: new Date(transaction.createdAtMs).toISOString(),
    ...{ score: decision.score, risk: decision.risk, probability: decision.probability },
    ...{ verdict: decision.verdict, reasons: [...decision.reasons] },
    rule_set: explanation.ruleSet,
    model: explanation.model?.model ?? null,
    degradation,
    explanation: toExplanationParts(explanation),
  };
}
