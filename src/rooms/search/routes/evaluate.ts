/** What-ifs: `/v1/evaluate` scores a transaction that nobody submitted, and `/what-if` a scored one with other fields. */
import { readContext } from '../../../core/accept/accept-transactions.ts';
import { transactionInput } from '../../../core/accept/examples.ts';
import {
  type ContextFields,
  findInvalid,
  type IngestContext,
  toTransaction,
} from '../../../core/accept/prepare-transactions.ts';
import { readOneInput } from '../../../core/accept/transaction-input.ts';
import { transactionInputSchema } from '../../../core/domain/transaction.ts';
import { requireOn } from '../../../core/require-on.ts';
import { writesNothing } from '../../../kit/http/openapi.ts';
import { answer, bodyOf, type Operation, operation } from '../../../kit/http/operation.ts';
import { InvalidFields, jsonPointer } from '../../../kit/words/field-errors.ts';
import type { Parts } from '../caches.ts';
import {
  evaluate,
  evaluationExample,
  evaluationParameters,
  evaluationSchema,
} from '../queries/evaluate.ts';
import { changesSchema, whatIf, whatIfExample, whatIfSchema } from '../queries/what-if.ts';
import { refuseUnscored } from './scores.ts';
import { transactionPath } from './transactions.ts';

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
  operation({
    method: 'post',
    at: '/v1/transactions/{id}/what-if',
    operationId: 'changeTransaction',
    summary: 'What a scored transaction would score with other fields; nothing is stored',
    description:
      'By the rule set and model of the stored score, as of the `created_at` of the transaction or the one that is given, without the transaction itself. Features that the changes do not move keep the values that were logged, so no change gives the stored score.',
    ...writesNothing,
    roles: ['analyst'],
    path: transactionPath,
    body: {
      ...bodyOf(changesSchema, { amount: '12.50', device_id: null }),
      bytesMax: CHANGES_BYTES_MAX,
    },
    answers: {
      200: answer(
        'Score, reasons, and the features that the changes move.',
        whatIfSchema,
        whatIfExample,
      ),
    },
    problems: [404, 409, 410],
    run: async ({ path: { id }, body: changes, c }, parts: Parts) => {
      const { databases, config, ingest, switches } = parts;
      requireOn(switches, 'what-if');
      // Only what is changed is checked: a corridor of the past may be closed today.
      refuseInvalid(changes, readContext(ingest));
      const { RISK_LABEL_MATURITY_DAYS: maturityDays } = config;
      const changed = await whatIf(databases.primary, parts, maturityDays, id, changes);
      return changed ?? (await refuseUnscored(c, parts, id));
    },
  }),
  operation({
    method: 'post',
    at: '/v1/evaluate',
    operationId: 'evaluateTransaction',
    summary: 'What a transaction would score; nothing is stored',
    description:
      'Histories are read from the stored transactions as of its `created_at`, which is now by default. An idempotency key is of no consequence.',
    ...writesNothing,
    roles: ['analyst', 'risk_officer'],
    query: evaluationParameters,
    body: { schema: transactionInputSchema, example: transactionInput, read: readOneInput },
    answers: { 200: answer('Score and explanation.', evaluationSchema, evaluationExample) },
    run: async ({ query, body: input }, parts: Parts) => {
      const { databases, config, ingest, switches } = parts;
      requireOn(switches, 'what-if');
      const context = readContext(ingest);
      refuseInvalid(input, context);
      const transaction = { ...toTransaction(input, context), receivedAtMs: context.nowMs };
      const { RISK_LABEL_MATURITY_DAYS: maturityDays } = config;
      return await evaluate(databases.primary, parts, maturityDays, transaction, query);
    },
  }),
];
