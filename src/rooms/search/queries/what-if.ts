/**
 * `POST /v1/transactions/{id}/what-if`: what a scored transaction would have scored with other fields, by the rule set and
 * model of its score. Features that a change moves are folded anew from the histories that Postgres has today, without the
 * transaction itself; all others are as logged, so that no change gives the stored score to the bit.
 */
import { z } from 'zod';
import { scoreSchema } from '../../../core/domain/score-record.ts';
import {
  amountProblem,
  createdAtMsOf,
  type Transaction,
  transactionInputSchema,
} from '../../../core/domain/transaction.ts';
import { createRecomputeVectors } from '../../../core/profile/recompute-vectors.ts';
import type { Api } from '../../../core/room.ts';
import { describeVector } from '../../../core/score/explain.ts';
import { askInputs, inputsOf, recordInputs } from '../../../core/score/rules/rule-inputs.ts';
import { score } from '../../../core/score/score.ts';
import { judgedVector } from '../../../core/score/scorecard/judge-by-table.ts';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { findStoredRuleSet } from '../../../core/store/rule-sets/rule-sets.ts';
import { findTableOf } from '../../../core/store/scorecards/find-tables.ts';
import { readScoreRecord } from '../../../core/store/scores/read-scores.ts';
import { loadTransactions } from '../../../core/store/transactions/read-transactions.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { findJudge, unknownRuleSet } from './explain-score.ts';

const given = transactionInputSchema.shape;

/** The fields of a submission that a what-if may change; null takes an optional one away. */
export const changesSchema = z
  .strictObject({
    account_id: given.account_id.optional(),
    merchant_id: given.merchant_id.optional(),
    amount: given.amount.optional(),
    currency: given.currency.optional(),
    corridor: given.corridor.optional(),
    created_at: given.created_at,
    type: given.type.nullable(),
    ip: given.ip.nullable(),
    device_id: given.device_id.nullable(),
    country: given.country.nullable(),
    channel: given.channel.nullable(),
  })
  .meta({ id: 'TransactionChanges' });
type Changes = z.infer<typeof changesSchema>;

const decisionSchema = scoreSchema.pick({
  score: true,
  risk: true,
  probability: true,
  verdict: true,
  reasons: true,
});

export const whatIfSchema = decisionSchema
  .extend({
    transaction_id: z.uuid(),
    changed: z
      .array(changesSchema.keyof())
      .meta({ description: 'The fields that differ from the stored transaction.' }),
    stored: decisionSchema.meta({ description: 'The stored score.' }),
    rule_set: z.string().meta({ description: 'That of the stored score.' }),
    model: z.string().nullable().meta({ description: 'That of the stored score.' }),
    features: z
      .array(
        z.object({
          name: z.string(),
          unit: z.string(),
          description: z.string(),
          stored: z.number().nullable().meta({ description: 'As logged with the score.' }),
          value: z.number().nullable().meta({ description: 'With the changes.' }),
        }),
      )
      .meta({ description: 'The features that the changes move; null stands for missing.' }),
    known_later: z.array(z.string()).meta({
      description:
        'Features of the unchanged transaction that have another value by the history of today: transactions or labels came after the score. Where the changes move them, part of the difference is due to these.',
    }),
  })
  .meta({ id: 'WhatIf' });
type WhatIfJson = z.infer<typeof whatIfSchema>;

/**
 * Undefined where there is no score.
 * @throws InvalidFields where the amount does not fit the currency
 * @throws Failure where this version lacks what made the score
 */
export async function whatIf(
  database: Database,
  { models, inputSources }: Pick<Api, 'models' | 'inputSources'>,
  maturityDays: number,
  transactionId: string,
  changes: Changes,
): Promise<WhatIfJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const record = await readScoreRecord(database, transactionId, createdAtMs);
  const [stored] = await loadTransactions(database, [transactionId]);
  if (record === undefined || stored === undefined) return undefined;
  const { features: logged } = record;
  const listed = describeVector({ ...record, slots: await readSlots(database.query) });
  const ruleSet = await findStoredRuleSet(database, record.ruleSet);
  if (ruleSet === undefined) throw unknownRuleSet(record.ruleSet);
  const judge = await findJudge(models, record.model);
  const changed = applyChanges(stored, changes);
  const recomputeVectors = createRecomputeVectors(database, maturityDays);
  const found = await findTableOf(database.query, record.scorecard);
  const table = found?.table ?? null;
  const [before, after] = await recomputeVectors([stored, changed], [table, table], stored);
  if (before === undefined || after === undefined) throw new Error('each has a vector');
  // The same bits, or both missing.
  const isMoved = (at: number) => !Object.is(before[at], after[at]);
  const vector = logged.map((value, at) => (isMoved(at) ? (after[at] ?? Number.NaN) : value));
  const answerOf = await askInputs(inputSources, [stored, changed], [ruleSet]);
  const [was, is] = [stored, changed].map((inputs, nth) =>
    recordInputs(ruleSet, inputs, answerOf, nth),
  );
  const moved = Object.entries(is ?? {}).filter(([key, value]) => was?.[key] !== value);
  const ruleInputs = { ...record.ruleInputs, ...Object.fromEntries(moved) };
  const opinion = judge?.judge([judgedVector(vector, found, createdAtMs)])[0] ?? null;
  const inputs = inputsOf(ruleSet, changed, ruleInputs);
  const { reasons, byRules: _, ...decision } = score({ vector, ruleSet, opinion, inputs });
  const { score: points, risk, probability, verdict } = record;
  return {
    transaction_id: transactionId,
    ...decision,
    reasons: [...reasons],
    changed: FIELDS.filter((field) => stored[NAMES[field]] !== changed[NAMES[field]]),
    stored: { score: points, risk, probability, verdict, reasons: [...record.reasons] },
    rule_set: record.ruleSet,
    model: record.model,
    features: listed.flatMap((feature, at) =>
      Object.is(logged[at], vector[at])
        ? []
        : { ...feature, stored: orNull(logged[at]), value: orNull(vector[at]) },
    ),
    known_later: listed.flatMap(({ name }, at) => (Object.is(logged[at], before[at]) ? [] : name)),
  };
}

const FIELDS = changesSchema.keyof().options;

/** The names of the fields in a transaction. */
const NAMES = {
  account_id: 'accountId',
  merchant_id: 'merchantId',
  amount: 'amount',
  currency: 'currency',
  corridor: 'corridor',
  created_at: 'createdAtMs',
  type: 'type',
  ip: 'ip',
  device_id: 'deviceId',
  country: 'country',
  channel: 'channel',
} as const satisfies Record<keyof Changes, keyof Transaction>;

/** @throws InvalidFields */
function applyChanges(stored: Transaction, changes: Changes): Transaction {
  const { amount = stored.amount, currency = stored.currency, created_at } = changes;
  const problem = amountProblem(amount, currency);
  if (problem !== undefined) {
    const error =
      changes.amount === undefined
        ? { pointer: '/currency', detail: `must fit the stored amount, which ${problem}` }
        : { pointer: '/amount', detail: problem };
    throw new InvalidFields([error]);
  }
  const given = FIELDS.filter((field) => changes[field] !== undefined);
  return {
    ...stored,
    ...Object.fromEntries(given.map((field) => [NAMES[field], changes[field]])),
    createdAtMs: created_at === undefined ? stored.createdAtMs : Date.parse(created_at),
  };
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
