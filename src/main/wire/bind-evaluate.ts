/** What-ifs: checked as ingest checks a transaction, judged by what the log of rollouts puts in force. */
import { readSettledRollouts } from '../../control/models/settled-rollouts.ts';
import { InvalidFields, jsonPointer } from '../../domain/field-error.ts';
import type { TransactionInput } from '../../domain/transaction.ts';
import { readContext } from '../../ingest/accept-transactions.ts';
import type { Ingest } from '../../ingest/ingest.ts';
import { findInvalid, toTransaction } from '../../ingest/prepare-transactions.ts';
import { createEvaluate, type EvaluationParameters } from '../../query/evaluate.ts';
import type { ModelCache } from '../../query/model-cache.ts';
import type { Database } from '../../store/database/pool.ts';

/** The function throws InvalidFields. */
export function bindEvaluate(
  database: Database,
  modelCache: ModelCache,
  maturityDays: number,
  ingest: Ingest,
) {
  const readRollouts = () => readSettledRollouts(database, 'evaluate');
  const evaluate = createEvaluate(database, modelCache, readRollouts, maturityDays);
  return async (input: TransactionInput, parameters: EvaluationParameters) => {
    const context = readContext(ingest);
    const invalid = findInvalid([input], context);
    if (invalid.length > 0) {
      throw new InvalidFields(
        invalid.map(({ field, detail }) => ({ pointer: jsonPointer([field]), detail })),
      );
    }
    const transaction = toTransaction(input, context);
    return await evaluate({ ...transaction, receivedAtMs: context.nowMs }, parameters);
  };
}
