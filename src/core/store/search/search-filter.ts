/** Filter of a search of transactions and their scores, and each part of the filter as a condition in SQL. */
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import type { Position } from '../../../kit/words/cursor.ts';
import { NO_MODEL } from '../../domain/score-record.ts';
import { createdAtMsOf, TRANSACTION_LIMITS } from '../../domain/transaction.ts';
import { findKnownKeys } from '../idempotency-keys/key-slices.ts';
import { labelInForce } from '../label-in-force.ts';
import { clipTo, isoTime, listWalkedMonths, type MonthRange } from '../partitions/month-slice.ts';
import { requireModel, requireReasons } from './require-known.ts';
import type { SearchQuestion } from './search-question.ts';

export type SearchFilter = Omit<SearchQuestion, 'idempotency_key'> & {
  readonly transaction_id?: string | undefined;
};

/** Adds a value of the statement; returns how the text names it. */
export type Parameter = (value: unknown) => string;

const EQUAL = [
  'transaction_id',
  'account_id',
  'device_id',
  'ip',
  'merchant_id',
  'client',
  'currency',
] as const;

/** Conditions on columns of `transactions t` that an index did not answer. */
export function transactionConditions(
  filter: SearchFilter,
  answered: keyof SearchFilter | undefined,
  parameter: Parameter,
): string[] {
  const conditions: string[] = [];
  for (const column of EQUAL) {
    const value = filter[column];
    if (value !== undefined && column !== answered)
      conditions.push(`t.${column} = ${parameter(value)}`);
  }
  const { min_amount, max_amount, received_from, received_to } = filter;
  if (min_amount !== undefined) conditions.push(`t.amount >= ${parameter(min_amount)}::numeric`);
  if (max_amount !== undefined) conditions.push(`t.amount <= ${parameter(max_amount)}::numeric`);
  conditions.push(...between('t.received_at', received_from, received_to, parameter));
  return conditions;
}

/** Conditions on columns of `scores s`. */
export function scoreConditions(filter: SearchFilter, parameter: Parameter): string[] {
  const conditions: string[] = [];
  const { verdict, min_score, max_score, reason, rule_set, model, degradation } = filter;
  if (verdict !== undefined) conditions.push(`s.verdict = any (${parameter(verdict)}::text[])`);
  if (min_score !== undefined) conditions.push(`s.score >= ${parameter(min_score)}::int2`);
  if (max_score !== undefined) conditions.push(`s.score <= ${parameter(max_score)}::int2`);
  if (reason !== undefined) {
    const each = reason.map(
      (code) => `s.reasons @> ${parameter(JSON.stringify([{ code }]))}::jsonb`,
    );
    conditions.push(`(${each.join(filter.reason_match === 'all' ? ' and ' : ' or ')})`);
  }
  if (rule_set !== undefined) conditions.push(`s.rule_set = ${parameter(rule_set)}`);
  if (model === NO_MODEL) conditions.push('s.model is null');
  else if (model !== undefined) conditions.push(`s.model = ${parameter(model)}`);
  if (degradation !== undefined) conditions.push(`s.degradation = ${parameter(degradation)}::int4`);
  conditions.push(...between('s.scored_at', filter.scored_from, filter.scored_to, parameter));
  return conditions;
}

function between(
  column: string,
  fromMs: number | undefined,
  toMs: number | undefined,
  parameter: Parameter,
): string[] {
  return [
    ...(fromMs === undefined ? [] : [`${column} >= ${parameter(isoTime(fromMs))}`]),
    ...(toMs === undefined ? [] : [`${column} < ${parameter(isoTime(toMs))}`]),
  ];
}

/** The same transaction in another table of months; $1 and $2 bound the months. */
export const sameAs = (alias: string, row: string) =>
  `${alias}.transaction_id = ${row}.transaction_id and ${alias}.created_at = ${row}.created_at
     and ${alias}.created_at >= $1 and ${alias}.created_at < $2`;

/** Conditions on the label and the status of a row. `offset 0` makes each a lookup: Postgres might hash a whole table for it. */
export function outcomeConditions(
  { status, label }: SearchFilter,
  row: string,
  parameter: Parameter,
): string[] {
  const conditions: string[] = [];
  if (label !== undefined) {
    const current = labelInForce(sameAs('l', row));
    conditions.push(label === 'none' ? `${current} is null` : `${current} = ${parameter(label)}`);
  }
  if (status === 'accepted' || status === 'dead_lettered') {
    conditions.push(`not exists (select from market.scores s where ${sameAs('s', row)} offset 0)`);
    conditions.push(
      `${status === 'accepted' ? 'not ' : ''}exists (
         select from market.dead_letters d where d.transaction_id = ${row}.transaction_id and d.replayed_at is null offset 0)`,
    );
  }
  return conditions;
}

/** True where only a transaction with a score can match. */
export function needsScore(filter: SearchFilter): boolean {
  const isAsked = scoreConditions(filter, () => '').length > 0;
  return filter.status === 'scored' || isAsked;
}

/**
 * Reads what a search needs before its first statement: `ranges` are months in the order of the search, none where nobody has the
 * idempotency key.
 * @throws InvalidFields for a model or a reason that nobody registered
 */
export async function prepareSearch(
  databases: Databases,
  asked: SearchQuestion,
  isDescending: boolean,
) {
  const { client, idempotency_key: key } = asked;
  const { primary } = databases;
  await requireModel(databases, asked.model);
  await requireReasons(databases, asked.reason ?? [], (index) => `/reason/${index}`);
  const walked = await listWalkedMonths(primary, 'transactions');
  const order = { isDescending, nowMs: databases.now() };
  let filter: SearchFilter = asked;
  if (key !== undefined && client !== undefined) {
    const [found] = await findKnownKeys(primary.query, client, [key]);
    if (found === undefined) return { filter, walked, ranges: [] };
    filter = { ...asked, transaction_id: found.transactionId };
  }
  return { filter, walked, ranges: rangesOf(walked.months, filter, order) };
}

/** How much earlier than its receipt, by Postgres' clock, a transaction may be created, by its sender's: see createdAtAheadMsMax. */
const CLOCKS_APART_MS = 60 * 60 * 1000;
const AHEAD_MS = TRANSACTION_LIMITS.createdAtAheadMsMax + CLOCKS_APART_MS;

/**
 * Months within what is asked, in the order of the search. A transaction is scored after its receipt, and created at most
 * AHEAD_MS after it.
 */
function rangesOf(
  months: readonly MonthRange[],
  filter: SearchFilter,
  { isDescending, nowMs }: { readonly isDescending: boolean; readonly nowMs: number },
): readonly MonthRange[] {
  const { from = -Infinity, to = Infinity, received_to = Infinity, scored_to = Infinity } = filter;
  const atMs = createdAtMsOf(filter.transaction_id ?? '');
  const knownMs = Math.min(received_to, scored_to, nowMs) + AHEAD_MS;
  const within = clipTo(
    months,
    Math.max(from, atMs ?? -Infinity),
    Math.min(to, knownMs, atMs === undefined ? Infinity : atMs + 1),
  );
  return isDescending ? within : within.reverse();
}

/** The rest of the ranges behind a row. */
export function rangesBehind(
  ranges: readonly MonthRange[],
  after: Position | null,
  isDescending: boolean,
): readonly MonthRange[] {
  if (after === null) return ranges;
  return isDescending
    ? clipTo(ranges, -Infinity, after.atMs + 1)
    : clipTo(ranges, after.atMs, Infinity);
}
