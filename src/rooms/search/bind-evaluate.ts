/**
 * What-ifs, checked as ingest checks a transaction: of one that nobody submitted, judged by what the log of rollouts puts in
 * force, and of a scored one with other fields.
 */
import { readContext } from '../../core/accept/accept-transactions.ts';
import type { Ingest } from '../../core/accept/ingest.ts';
import {
  type ContextFields,
  findInvalid,
  type IngestContext,
  toTransaction,
} from '../../core/accept/prepare-transactions.ts';
import type { TransactionInput } from '../../core/domain/transaction.ts';
import type { Models } from '../../core/score/judge.ts';
import type { Database } from '../../kit/database/pool.ts';
import { InvalidFields, jsonPointer } from '../../kit/words/field-error.ts';
import { createEvaluate, type EvaluationParameters } from './queries/evaluate.ts';
import { type Changes, createWhatIf } from './queries/what-if.ts';

/** The functions throw InvalidFields. */
export function bindEvaluating(
  database: Database,
  models: Models,
  maturityDays: number,
  ingest: Ingest,
) {
  const evaluate = createEvaluate(database, models, maturityDays);
  const whatIf = createWhatIf(database, models, maturityDays);
  return {
    evaluate: async (input: TransactionInput, parameters: EvaluationParameters) => {
      const context = readContext(ingest);
      refuseInvalid(input, context);
      const transaction = toTransaction(input, context);
      return await evaluate({ ...transaction, receivedAtMs: context.nowMs }, parameters);
    },
    /** Only what is changed is checked: a corridor of the past may be closed today. */
    whatIf: async (transactionId: string, changes: Changes) => {
      refuseInvalid(changes, readContext(ingest));
      return await whatIf(transactionId, changes);
    },
  };
}

function refuseInvalid(fields: ContextFields, context: IngestContext): void {
  const invalid = findInvalid([fields], context);
  if (invalid.length === 0) return;
  throw new InvalidFields(
    invalid.map(({ field, detail }) => ({ pointer: jsonPointer([field]), detail })),
  );
}
