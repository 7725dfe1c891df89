/**
 * A slice of a search: ids of what matches among a bounded number of rows, in the order of an index, and where the reading
 * stopped. The inner select follows the index, which is the primary key where no other leads to the rows, as ids carry the time;
 * the outer one applies the conditions that the index does not answer.
 */
import { lowestIdAt, type Position } from '../../../kit/words/cursor.ts';
import {
  isoTime,
  JOINED_ROWS_EXAMINED_MAX,
  type PreparedSearch,
  SLICE_ROWS_EXAMINED_MAX,
} from '../partitions/month-slice.ts';
import {
  joinOne,
  needsScore,
  outcomeConditions,
  type Parameter,
  type SearchFilter,
  scoreConditions,
  transactionConditions,
} from './search-filter.ts';

/** Where a row stands; `value` is the score or amount that it is ranked by, as text, null in the order of time. */
export type RowPosition = Position & { readonly value: string | null };

export type RankedBy = 'score' | 'amount';

export type SearchSlice = {
  readonly filter: SearchFilter;
  readonly lowerMs: number;
  readonly upperMs: number;
  /** time: the slice follows created_at; score: it follows the index of risky scores by score, over all months. */
  readonly follows: 'time' | 'score';
  readonly isDescending: boolean;
  /** Only rows after it, in the order that the slice follows; undefined: from the beginning. */
  readonly after: RowPosition | undefined;
  /** Only rows up to it, itself included, in the order of time. */
  readonly until?: Position | undefined;
  /** Ranks what matches, in place of the order that the slice follows: then only rows whose rank is after `beyond`. */
  readonly ranked?: { readonly by: RankedBy; readonly beyond: RowPosition | undefined } | undefined;
  /** Lowers the bound of rows looked at. */
  readonly examinedMax: number;
  /** Most rows of the answer. */
  readonly rows: number;
};

/** The predicate of scores_risky_time_idx and scores_riskiest_idx, word for word, or the planner would not use them. */
export const RISKY_SCORE_MIN = 300;
const RISKY = `(verdict <> 'approve' or score >= ${RISKY_SCORE_MIN})`;

/** True where every match is a row of the indexes of risky scores. */
export function isRiskyAlone({ verdict, min_score = 0 }: SearchFilter): boolean {
  const isFlagged = verdict !== undefined && !verdict.includes('approve');
  return isFlagged || min_score >= RISKY_SCORE_MIN;
}

/** The predicate of scores_degraded_idx. */
const DEGRADED = 'degradation > 0';

const isDegraded = ({ degradation = 0 }: SearchFilter) => degradation > 0;

/** True where an index leads to what matches, or to little more. */
export const isIndexed = (filter: SearchFilter) =>
  isOfParty(filter) ||
  isRiskyAlone(filter) ||
  isDegraded(filter) ||
  filter.status === 'dead_lettered';

/** True where an index leads to a party's rows. */
export const isOfParty = (filter: SearchFilter) => partyOf(filter) !== undefined;

const PARTIES = ['account_id', 'device_id', 'ip', 'merchant_id'] as const;

const partyOf = (filter: SearchFilter) => PARTIES.find((column) => filter[column] !== undefined);

type Table = 'transactions' | 'scores' | 'labels' | 'dead_letters';
const ALIASES = { transactions: 't', scores: 's', labels: 'b', dead_letters: 'f' } as const;

/** The table whose index the slice follows, and what is asked of that index. */
type WayIn = {
  readonly table: Table;
  /** Null: the primary key. */
  readonly condition: ((parameter: Parameter) => string) | null;
  /** The part of the filter that the index answers. */
  readonly answered: keyof SearchFilter | undefined;
};

function wayIn(filter: SearchFilter, ranked: SearchSlice['ranked']): WayIn {
  const { transaction_id } = filter;
  const answered = transaction_id === undefined ? partyOf(filter) : 'transaction_id';
  if (answered !== undefined) {
    const condition = (parameter: Parameter) => `t.${answered} = ${parameter(filter[answered])}`;
    return { table: 'transactions', condition, answered };
  }
  const isRare = isDegraded(filter);
  if (isRare || isRiskyAlone(filter)) {
    return { table: 'scores', condition: () => (isRare ? DEGRADED : RISKY), answered: undefined };
  }
  return { table: walkedTable(filter, ranked), condition: null, answered: undefined };
}

/** The table that is read by its primary key: the one with most of the conditions. */
function walkedTable(filter: SearchFilter, ranked: SearchSlice['ranked']): Table {
  // Few transactions have a dead letter, or a label.
  if (filter.status === 'dead_lettered') return 'dead_letters';
  if (filter.label === 'fraud' || filter.label === 'legitimate') return 'labels';
  const isRanked = ranked?.by === 'score';
  if (!needsScore(filter) && !isRanked) return 'transactions';
  const asksScore = isRanked || hasScoreConditions(filter);
  return asksScore || !hasTransactionConditions(filter) ? 'scores' : 'transactions';
}

const noParameter = () => '';
const hasScoreConditions = (filter: SearchFilter) =>
  scoreConditions(filter, noParameter).length > 0;
const hasTransactionConditions = (filter: SearchFilter) =>
  transactionConditions(filter, undefined, noParameter).length > 0;

/**
 * The statements of a slice, from fixed parts only; values are always parameters.
 * @returns `examined`: most rows that are looked at
 */
export function searchSlice(slice: SearchSlice) {
  const { filter, ranked, follows } = slice;
  const values: unknown[] = [isoTime(slice.lowerMs), isoTime(slice.upperMs)];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const way: WayIn =
    follows === 'score'
      ? { table: 'scores', condition: () => RISKY, answered: undefined }
      : wayIn(filter, ranked);
  const alias = ALIASES[way.table];
  const inner = innerSelect(slice, way, parameter);
  const valuesOfWay = [...values];
  const { joins, conditions } = residual(slice, way, parameter);
  const isJoined = joins.length > 0 || asksOutcome(filter);
  // The rows of a party lie apart, so that each is a lookup as well.
  const isLookup = isJoined || isOfParty(filter);
  const most = isLookup ? JOINED_ROWS_EXAMINED_MAX : SLICE_ROWS_EXAMINED_MAX;
  const examined = Math.min(most, slice.examinedMax);
  const looked = (text: string) =>
    way.table === 'labels' || way.table === 'dead_letters'
      ? `select distinct on (${alias}.transaction_id) * from (${text}) ${alias} order by ${inner.order}`
      : text;
  const rank = ranked === undefined ? undefined : rankColumn(ranked.by);
  const value = rank ?? (follows === 'score' ? 's.score' : undefined);
  const order = rank === undefined ? inner.order : rankOrder(rank, alias, slice.isDescending);
  const page: PreparedSearch = {
    text: `select ${alias}.transaction_id, ${alias}.created_at, ${value ?? 'null'}::text as value
             from (${looked(`${inner.text} limit ${examined}`)}) ${alias}
                  ${joins.join('\n')}
            ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
            order by ${order} limit ${parameter(slice.rows)}`,
    values,
  };
  const boundary: PreparedSearch = {
    text: `select transaction_id, created_at, ${follows === 'score' ? 'score' : 'null'}::text as value
             from (${inner.text} offset ${examined - 1} limit 1) ${alias}`,
    values: valuesOfWay,
  };
  const isAnswered = !isJoined && conditions.length === 0 && ranked === undefined;
  return { page, boundary: isAnswered && slice.rows <= examined ? null : boundary, examined };
}

/** Follows the index, unbounded: the caller limits it. */
function innerSelect(
  slice: SearchSlice,
  { table, condition }: WayIn,
  parameter: Parameter,
): { readonly text: string; readonly order: string } {
  const alias = ALIASES[table];
  const conditions = [`${alias}.created_at >= $1`, `${alias}.created_at < $2`];
  const way = slice.isDescending ? 'desc' : 'asc';
  let order = `${alias}.created_at ${way}, ${alias}.transaction_id ${way}`;
  if (condition === null) {
    order = `${alias}.transaction_id ${way}`;
    conditions.push(...idBounds(slice, alias, parameter));
    // The predicate of dead_letters_final_transaction_idx.
    if (table === 'dead_letters') conditions.push(`${alias}.replayed_at is null`);
  } else {
    if (slice.follows === 'score') order = `s.score ${way}, ${order}`;
    conditions.push(condition(parameter), ...positionBounds(slice, alias, parameter));
  }
  const columns = table === 'labels' ? 'b.transaction_id, b.created_at' : `${alias}.*`;
  const text = `select ${columns} from market.${table} ${alias} where ${conditions.join(' and ')} order by ${order}`;
  return { text, order };
}

const comparisons = ({ isDescending }: SearchSlice) => (isDescending ? ['<', '>='] : ['>', '<=']);

function idBounds(slice: SearchSlice, text: string, parameter: Parameter): string[] {
  const { isDescending, after, until, lowerMs, upperMs } = slice;
  const [beyond, within] = comparisons(slice);
  const first = after?.id ?? lowestIdAt(isDescending ? upperMs : lowerMs);
  const last = until?.id ?? lowestIdAt(isDescending ? lowerMs : upperMs);
  return [
    `${text}.transaction_id ${beyond} ${parameter(first)}`,
    `${text}.transaction_id ${within} ${parameter(last)}`,
  ];
}

function positionBounds(slice: SearchSlice, text: string, parameter: Parameter): string[] {
  const { follows, after, until } = slice;
  const [beyond, within] = comparisons(slice);
  const position = `${text}.created_at, ${text}.transaction_id`;
  const at = ({ atMs, id }: Position) => `${parameter(isoTime(atMs))}, ${parameter(id)}`;
  if (follows === 'score') {
    const { min_score, max_score } = slice.filter;
    const bounds: string[] = [];
    if (min_score !== undefined) bounds.push(`s.score >= ${parameter(min_score)}::int2`);
    if (max_score !== undefined) bounds.push(`s.score <= ${parameter(max_score)}::int2`);
    if (after === undefined) return bounds;
    const score = `${parameter(after.value)}::int2`;
    return [...bounds, `(s.score, ${position}) ${beyond} (${score}, ${at(after)})`];
  }
  return [
    ...(after === undefined ? [] : [`(${position}) ${beyond} (${at(after)})`]),
    ...(until === undefined ? [] : [`(${position}) ${within} (${at(until)})`]),
  ];
}

const asksOutcome = ({ label, status }: SearchFilter) =>
  label !== undefined || status === 'accepted' || status === 'dead_lettered';

/** Conditions that the index does not answer, and their joins: they are applied to the rows that are looked at. */
function residual(
  { filter, ranked, isDescending }: SearchSlice,
  { table, answered }: WayIn,
  parameter: Parameter,
): { readonly joins: string[]; readonly conditions: string[] } {
  const alias = ALIASES[table];
  const ofTransactions = transactionConditions(filter, answered, parameter);
  const conditions = [
    ...ofTransactions,
    ...scoreConditions(filter, parameter),
    ...outcomeConditions(filter, alias, parameter),
  ];
  const isOfLabels = table === 'labels';
  const needsTransaction =
    ofTransactions.length > 0 ||
    ranked?.by === 'amount' ||
    (isOfLabels && filter.corridor !== undefined);
  const joins: string[] = [];
  if (needsTransaction && table !== 'transactions') joins.push(joinOne('transactions', 't', alias));
  const isScored = needsScore(filter) || ranked?.by === 'score';
  if (isScored && table !== 'scores') joins.push(joinOne('scores', 's', alias));
  if (filter.corridor !== undefined) {
    conditions.push(`${isOfLabels ? 't' : alias}.corridor = ${parameter(filter.corridor)}`);
  }
  if (ranked?.beyond !== undefined) {
    const { value, atMs, id } = ranked.beyond;
    const rank = `${parameter(value)}::${ranked.by === 'score' ? 'int2' : 'numeric'}`;
    const position = `${rank}, ${parameter(isoTime(atMs))}, ${parameter(id)}`;
    const columns = `${rankColumn(ranked.by)}, ${alias}.created_at, ${alias}.transaction_id`;
    conditions.push(`(${columns}) ${isDescending ? '<' : '>'} (${position})`);
  }
  return { joins, conditions };
}

const rankColumn = (by: RankedBy) => (by === 'score' ? 's.score' : 't.amount');

function rankOrder(rank: string, text: string, isDescending: boolean): string {
  const way = isDescending ? 'desc' : 'asc';
  return `${rank} ${way}, ${text}.created_at ${way}, ${text}.transaction_id ${way}`;
}
