/**
 * What-ifs, checked as ingest checks a transaction: of one that nobody submitted, judged by what the log of rollouts puts in
 * force, and of a scored one with other fields.
 */
import { readSettledRollouts } from '../../control/models/settled-rollouts.ts';
import { InvalidFields, jsonPointer } from '../../domain/field-error.ts';
import type { TransactionInput } from '../../domain/transaction.ts';
import { readContext } from '../../ingest/accept-transactions.ts';
import type { Ingest } from '../../ingest/ingest.ts';
import {
  type ContextFields,
  findInvalid,
  type IngestContext,
  toTransaction,
} from '../../ingest/prepare-transactions.ts';
import { createEvaluate, type EvaluationParameters } from '../../query/evaluate.ts';
import type { ModelCache } from '../../query/model-cache.ts';
import { type Changes, createWhatIf } from '../../query/what-if.ts';
import type { Database } from '../../store/database/pool.ts';

/** The functions throw InvalidFields. */
export function bindEvaluating(
  database: Database,
  modelCache: ModelCache,
  maturityDays: number,
  ingest: Ingest,
) {
  const readRollouts = () => readSettledRollouts(database, 'evaluate');
  const evaluate = createEvaluate(database, modelCache, readRollouts, maturityDays);
  const whatIf = createWhatIf(database, modelCache, maturityDays);
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
