/**
 * Looks at a bounded number of rows along an index, and finds the rows that match. A statement reads the months of its range and locks no
 * other month; the riskiest scores are merged from all months.
 *
 * The inner select follows the index. Around it each row is numbered and compared with the filter, and the last row that was looked at
 * comes with the matches: where the reading stopped is known from one snapshot.
 */
import type { Database } from '../../../kit/database/pool.ts';
import { lowestIdAt, type Position } from '../../../kit/words/cursor.ts';
import { partyOfAddress } from '../../domain/personal.ts';
import { SCORE_MAX } from '../../domain/score-record.ts';
import { isoTime, type MonthRange } from '../partitions/month-slice.ts';
import {
  needsScore,
  outcomeConditions,
  type Parameter,
  type SearchFilter,
  sameAs,
  scoreConditions,
  transactionConditions,
} from './search-filter.ts';

/** Most rows that a page looks at: some 0.2 s where each is looked up in another table. */
export const LOOKED_AT_MAX = 20_000;

/** Where a row stands; `value` is the score or amount that the list is ordered by, as text, null in the order of time. */
export type RowPosition = Position & { readonly value: string | null };

/** time: in the order of created_at. riskiest: the index of risky scores. score, amount: the newest rows, ranked. */
export type SearchList = 'time' | 'riskiest' | 'score' | 'amount';

export type RowSearch = {
  readonly filter: SearchFilter;
  readonly list: SearchList;
  /** Newest, riskiest or largest first. */
  readonly isDescending: boolean;
  /** Months, or parts of them. */
  readonly range: MonthRange;
  /** The position behind which rows are read; null: rows are read from the beginning. */
  readonly after: RowPosition | null;
  readonly lookedAtMax: number;
  /** The number of matches that ends the reading, or that a ranked list returns. */
  readonly rows: number;
};

/** The predicate of scores_risky_time_idx and scores_riskiest_idx, word for word, or the planner would not use them. */
const RISKY_SCORE_MIN = 300;
const RISKY = `(verdict <> 'approve' or score >= ${RISKY_SCORE_MIN})`;
/** The predicate of scores_degraded_idx. */
const DEGRADED = 'degradation > 0';

/** The partial index that has every match, by its predicate. */
function predicateOf({ verdict, min_score = 0, degradation = 0 }: SearchFilter) {
  if (degradation > 0) return DEGRADED;
  const isFlagged = verdict !== undefined && !verdict.includes('approve');
  return isFlagged || min_score >= RISKY_SCORE_MIN ? RISKY : undefined;
}

const PARTIES = ['account_id', 'device_id', 'ip', 'merchant_id'] as const;
/** A column that two transactions may share. An index begins with each. */
export type PartyColumn = (typeof PARTIES)[number];

/** The part of the filter that names a party, whose rows an index has in the order of time. */
export const partyOf = (filter: Pick<SearchFilter, PartyColumn>) =>
  PARTIES.find((column) => filter[column] !== undefined);

/** True where an index leads to few rows that lie apart. */
export const isSparse = (filter: SearchFilter) =>
  [partyOf(filter), predicateOf(filter), filter.transaction_id].some((part) => part !== undefined);

const ALIASES = { transactions: 't', scores: 's' } as const;
type Column = 'score' | 'created_at' | 'transaction_id';

/** An index that is followed. */
type Index = {
  readonly table: keyof typeof ALIASES;
  /** The order of its rows. */
  readonly columns: readonly Column[];
  readonly conditions: readonly string[];
  /** Further conditions, of which each row meets a single one: an index is followed for each. */
  readonly either?: readonly string[];
  /** The part of the filter that it answers. */
  readonly answered?: keyof SearchFilter;
};

const BY_TIME = ['created_at', 'transaction_id'] as const;

function indexOf({ filter, list, range }: RowSearch, parameter: Parameter): Index {
  if (list === 'riskiest') {
    const { min_score = 0, max_score = SCORE_MAX } = filter;
    const bounds = `s.score >= ${parameter(min_score)}::int2 and s.score <= ${parameter(max_score)}::int2`;
    return { table: 'scores', columns: ['score', ...BY_TIME], conditions: [RISKY, bounds] };
  }
  const party = partyOf(filter);
  if (party === 'ip') {
    // Rows of 1.0.0 have no network, and stand in the index by their address.
    const parties = new Set([partyOfAddress(filter.ip ?? null), filter.ip]);
    const either = [...parties].map((value) => `coalesce(t.ip_party, t.ip) = ${parameter(value)}`);
    return { table: 'transactions', columns: BY_TIME, conditions: [], either };
  }
  if (party !== undefined) {
    const conditions = [`t.${party} = ${parameter(filter[party])}`];
    return { table: 'transactions', columns: BY_TIME, conditions, answered: party };
  }
  const predicate = predicateOf(filter);
  if (list === 'time' && predicate !== undefined) {
    return { table: 'scores', columns: BY_TIME, conditions: [predicate] };
  }
  // A condition on the table itself costs no lookup.
  const isOfScores = list === 'time' && needsScore(filter) && !asksTransaction(filter);
  const table = isOfScores ? 'scores' : 'transactions';
  const id = `${ALIASES[table]}.transaction_id`;
  // Ids carry the time, so the primary key is in its order.
  const from = `${id} >= ${parameter(lowestIdAt(range.fromMs))}`;
  const to = `${id} < ${parameter(lowestIdAt(range.toMs))}`;
  return { table, columns: ['transaction_id'], conditions: [from, to] };
}

const asksTransaction = (filter: SearchFilter) =>
  transactionConditions(filter, undefined, () => '').length > 0;

/** Whether a row matches. Conditions on the row itself stand first, so that a row which fails them is looked up nowhere. */
function matchOf({ filter, list }: RowSearch, { table, answered }: Index, parameter: Parameter) {
  const row = ALIASES[table];
  const ofTransaction = transactionConditions(filter, answered, parameter);
  const ofScore = scoreConditions(filter, parameter);
  const [own, others] =
    table === 'transactions' ? [ofTransaction, ofScore] : [ofScore, ofTransaction];
  const conditions = [...own];
  if (filter.corridor !== undefined) {
    conditions.push(`${row}.corridor = ${parameter(filter.corridor)}`);
  }
  const isScored = needsScore(filter) && table === 'transactions' && list !== 'score';
  if (others.length > 0 || isScored) {
    conditions.push(lookUp(table, others.length > 0 ? others.join(' and ') : 'true'));
  }
  conditions.push(...outcomeConditions(filter, row, parameter));
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}

/** An expression of the other table for a row. The limit makes it a lookup by the primary key. */
function lookUp(table: keyof typeof ALIASES, what: string): string {
  const other = table === 'transactions' ? 'scores' : 'transactions';
  const alias = ALIASES[other];
  return `(select ${what} from market.${other} ${alias} where ${sameAs(alias, ALIASES[table])} limit 1)`;
}

/** The value that a list ranks a row by. */
const RANKS = {
  time: 'null',
  riskiest: 's.score',
  score: lookUp('transactions', 's.score'),
  amount: 't.amount',
} as const;

/** A list by score leaves out transactions without a score, which the lookup of the rank tells. */
const matchedBy = (list: SearchList) =>
  list === 'score' ? 'matches and rank is not null' : 'matches';

export const isRanked = (list: SearchList): boolean => list === 'score' || list === 'amount';

/** The rows that are looked at, each with its number and whether it matches. */
function lookedAt(search: RowSearch, parameter: Parameter) {
  const { list, after, lookedAtMax } = search;
  const index = indexOf(search, parameter);
  const { table, columns, conditions, either = ['true'] } = index;
  const row = ALIASES[table];
  const isDescending = isRanked(list) || search.isDescending;
  const order = columns
    .map((column) => `${row}.${column} ${isDescending ? 'desc' : 'asc'}`)
    .join(', ');
  const bounds = [`${row}.created_at >= $1`, `${row}.created_at < $2`, ...conditions];
  if (after !== null) {
    const values = {
      score: () => `${parameter(after.value)}::int2`,
      created_at: () => parameter(isoTime(after.atMs)),
      transaction_id: () => parameter(after.id),
    };
    const position = columns.map((column) => values[column]()).join(', ');
    const named = columns.map((column) => `${row}.${column}`).join(', ');
    bounds.push(`(${named}) ${isDescending ? '<' : '>'} (${position})`);
  }
  const inOrder = (from: string, where: readonly string[]) =>
    `(select ${row}.* from ${from} ${row} where ${where.join(' and ')} order by ${order} limit ${lookedAtMax})`;
  const followed = either.map((only) => inOrder(`market.${table}`, [only, ...bounds]));
  const rows =
    followed.length > 1 ? inOrder(`(${followed.join(' union all ')})`, ['true']) : followed[0];
  const text = `
    select ${row}.transaction_id, ${row}.created_at, ${RANKS[list]} as rank, ${matchOf(search, index, parameter)} as matches,
           row_number() over () as nth, lead(${row}.transaction_id) over () is null as is_last
      from ${rows} ${row}
     order by ${order}`;
  return { text, columns };
}

function begin({ range }: RowSearch) {
  const values: unknown[] = [isoTime(range.fromMs), isoTime(range.toMs)];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  return { values, parameter };
}

type LookedAtRow = {
  readonly transaction_id: string;
  readonly created_at: Date;
  readonly value: string | null;
  readonly matches: boolean | null;
  readonly nth: number;
  readonly is_last: boolean;
};

/** The statement has no name, as it is planned for its values: a generic plan sorts the million rows of a busy merchant. */
export function findStatement(search: RowSearch) {
  const { values, parameter } = begin(search);
  const { text, columns } = lookedAt(search, parameter);
  const ranked = isRanked(search.list);
  const order = ranked ? ['rank', ...BY_TIME] : columns.map((c) => (c === 'score' ? 'rank' : c));
  const way = search.isDescending ? 'desc' : 'asc';
  return {
    text: `select transaction_id, created_at, rank::text as value, ${matchedBy(search.list)} as matches, nth::int4, is_last
             from (${text}) looked_at
            where ${matchedBy(search.list)} or is_last
            order by ${ranked ? 'is_last desc, ' : ''}${order.map((column) => `${column} ${way}`).join(', ')}
            limit ${parameter(ranked ? search.rows + 1 : search.rows)}`,
    values,
  };
}

/**
 * Finds the matches in the order of the list. In a ranked list the last row that was looked at stands first if that row matches.
 * @returns `last` with the number of rows looked at; undefined if there are no rows, or if `rows` matches came first
 */
export async function findRows({ query }: Pick<Database, 'query'>, search: RowSearch) {
  const { text, values } = findStatement(search);
  const rows = await query<LookedAtRow>({ text }, values);
  const last = rows.find((row) => row.is_last);
  return {
    found: rows.filter(({ matches }) => matches === true).map(toPosition),
    last: last && { at: toPosition(last), looked: last.nth },
  };
}

function toPosition(row: LookedAtRow): RowPosition {
  return { atMs: row.created_at.getTime(), id: row.transaction_id, value: row.value };
}

/** Counts the matches among the rows that are looked at. */
export async function countRows(
  { query }: Pick<Database, 'query'>,
  search: RowSearch,
): Promise<{ readonly count: number; readonly looked: number }> {
  const { values, parameter } = begin(search);
  const { text } = lookedAt(search, parameter);
  const [counted] = await query<{ count: number; looked: number }>(
    {
      text: `select count(*) filter (where ${matchedBy(search.list)})::int4 as count, count(*)::int4 as looked from (${text}) looked_at`,
    },
    values,
  );
  if (counted === undefined) throw new Error('a count has one row');
  return counted;
}
