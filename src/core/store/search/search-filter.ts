/** What a search asks of transactions and their scores, and each part of it as a condition in SQL. */
import type { LabelValue } from '../../domain/label.ts';
import type { Verdict } from '../../domain/score-record.ts';
import { NO_MODEL } from '../../domain/score-record.ts';
import type { TransactionStatus } from '../../domain/transaction.ts';
import { isoTime } from '../partitions/month-slice.ts';

/** Undefined asks nothing. Times are epoch milliseconds: from is inclusive, to exclusive. */
export type SearchFilter = {
  /** Only what has a score. */
  readonly isScored: boolean;
  readonly transactionId: string | undefined;
  readonly accountId: string | undefined;
  readonly merchantId: string | undefined;
  readonly deviceId: string | undefined;
  readonly ip: string | undefined;
  readonly corridor: string | undefined;
  readonly client: string | undefined;
  readonly status: TransactionStatus | undefined;
  readonly currency: string | undefined;
  /** Decimal text, as is maxAmount; both are included. */
  readonly minAmount: string | undefined;
  readonly maxAmount: string | undefined;
  readonly receivedFromMs: number | undefined;
  readonly receivedToMs: number | undefined;
  /** One of these. */
  readonly verdicts: readonly Verdict[] | undefined;
  readonly minScore: number | undefined;
  readonly maxScore: number | undefined;
  readonly reasons: readonly string[] | undefined;
  readonly reasonMatch: 'any' | 'all';
  readonly ruleSet: string | undefined;
  /** NO_MODEL: no model decided. */
  readonly model: string | undefined;
  readonly degradation: number | undefined;
  readonly scoredFromMs: number | undefined;
  readonly scoredToMs: number | undefined;
  /** The label that decides; none: no label. */
  readonly label: LabelValue | 'none' | undefined;
};

/** Adds a value of the statement; returns its place. */
export type Parameter = (value: unknown) => string;

/** Conditions on columns of `transactions t` that an index did not answer. */
export function transactionConditions(
  filter: SearchFilter,
  answered: keyof SearchFilter | undefined,
  parameter: Parameter,
): string[] {
  const conditions: string[] = [];
  const equals = (field: keyof SearchFilter, column: string) => {
    const value = filter[field];
    if (value !== undefined && field !== answered)
      conditions.push(`t.${column} = ${parameter(value)}`);
  };
  equals('accountId', 'account_id');
  equals('deviceId', 'device_id');
  equals('ip', 'ip');
  equals('merchantId', 'merchant_id');
  equals('client', 'client');
  equals('currency', 'currency');
  const { minAmount, maxAmount, receivedFromMs, receivedToMs } = filter;
  if (minAmount !== undefined) conditions.push(`t.amount >= ${parameter(minAmount)}::numeric`);
  if (maxAmount !== undefined) conditions.push(`t.amount <= ${parameter(maxAmount)}::numeric`);
  between(conditions, 't.received_at', [receivedFromMs, receivedToMs], parameter);
  return conditions;
}

/** Conditions on columns of `scores s`. */
export function scoreConditions(filter: SearchFilter, parameter: Parameter): string[] {
  const conditions: string[] = [];
  const { verdicts, minScore, maxScore, reasons, ruleSet, model, degradation } = filter;
  if (verdicts !== undefined) conditions.push(`s.verdict = any (${parameter(verdicts)}::text[])`);
  if (minScore !== undefined) conditions.push(`s.score >= ${parameter(minScore)}::int4`);
  if (maxScore !== undefined) conditions.push(`s.score <= ${parameter(maxScore)}::int4`);
  if (reasons !== undefined) {
    const each = reasons.map(
      (code) => `s.reasons @> ${parameter(JSON.stringify([{ code }]))}::jsonb`,
    );
    conditions.push(`(${each.join(filter.reasonMatch === 'all' ? ' and ' : ' or ')})`);
  }
  if (ruleSet !== undefined) conditions.push(`s.rule_set = ${parameter(ruleSet)}`);
  if (model === NO_MODEL) conditions.push('s.model is null');
  else if (model !== undefined) conditions.push(`s.model = ${parameter(model)}`);
  if (degradation !== undefined) conditions.push(`s.degradation = ${parameter(degradation)}::int4`);
  between(conditions, 's.scored_at', [filter.scoredFromMs, filter.scoredToMs], parameter);
  return conditions;
}

function between(
  conditions: string[],
  column: string,
  [fromMs, toMs]: readonly [number | undefined, number | undefined],
  parameter: Parameter,
): void {
  if (fromMs !== undefined) conditions.push(`${column} >= ${parameter(isoTime(fromMs))}`);
  if (toMs !== undefined) conditions.push(`${column} < ${parameter(isoTime(toMs))}`);
}

/** The transaction and the partition of an alias; $1 and $2 bound the months. */
const sameAs = (alias: string, one: string) =>
  `${alias}.transaction_id = ${one}.transaction_id and ${alias}.created_at = ${one}.created_at
     and ${alias}.created_at >= $1 and ${alias}.created_at < $2`;

/** Limited, so that each row asks one partition by its primary key. */
export const joinOne = (table: 'scores' | 'transactions', alias: string, one: string) =>
  `cross join lateral (select * from market.${table} ${alias} where ${sameAs(alias, one)} limit 1) ${alias}`;

/** Conditions that look into further tables, row by row; `one` is the alias of what is looked at. */
export function outcomeConditions(
  { status, label }: SearchFilter,
  one: string,
  parameter: Parameter,
): string[] {
  const conditions: string[] = [];
  if (label !== undefined) {
    const current = `(select l.label from market.labels l where ${sameAs('l', one)} order by l.labelled_at desc, l.label limit 1)`;
    conditions.push(label === 'none' ? `${current} is null` : `${current} = ${parameter(label)}`);
  }
  if (status === 'accepted' || status === 'dead_lettered') {
    conditions.push(`not exists (select from market.scores s where ${sameAs('s', one)})`);
    conditions.push(
      `${status === 'accepted' ? 'not ' : ''}exists (
         select from market.dead_letters d where d.transaction_id = ${one}.transaction_id and d.replayed_at is null)`,
    );
  }
  return conditions;
}

/** True where only a transaction with a score can match. */
export function needsScore(filter: SearchFilter): boolean {
  const { isScored, status, verdicts, minScore, maxScore, reasons, ruleSet, model } = filter;
  const asked = [verdicts, minScore, maxScore, reasons, ruleSet, model, filter.degradation];
  const isAsked = [...asked, filter.scoredFromMs, filter.scoredToMs].some(
    (one) => one !== undefined,
  );
  return isScored || status === 'scored' || isAsked;
}
