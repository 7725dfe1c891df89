/** Statements as functions of their values; Postgres prepares the text under the name, once a connection. */
import type { Query, Statement } from './pool.ts';

type Values = readonly unknown[];

/** @returns a function that answers the rows */
export function rowsOf<Row extends object, Given extends Values = []>(name: string, text: string) {
  const statement = { name, text };
  return (query: Query, ...values: Given): Promise<Row[]> => query<Row>(statement, values);
}

/** @returns a function that answers the first row; undefined where there is none */
export function firstOf<Row extends object, Given extends Values = []>(name: string, text: string) {
  const rows = rowsOf<Row, Given>(name, text);
  return async (query: Query, ...values: Given): Promise<Row | undefined> =>
    (await rows(query, ...values))[0];
}

/**
 * A look before a write that seldom has anything to do: the proof that a leader leads takes three statements more.
 * @param rows clauses from `from` on
 * @returns a function that answers whether there is such a row
 */
export function anyOf<Given extends Values = []>(name: string, rows: string) {
  const read = onlyOf<{ found: boolean }, Given>(name, `select exists (select ${rows}) as found`);
  return async (query: Query, ...values: Given): Promise<boolean> =>
    (await read(query, ...values)).found;
}

/** @returns a function that answers the row of a statement that has exactly one, as an aggregate has */
export function onlyOf<Row extends object, Given extends Values = []>(name: string, text: string) {
  const first = firstOf<Row, Given>(name, text);
  return async (query: Query, ...values: Given): Promise<Row> => {
    const row = await first(query, ...values);
    if (row === undefined) throw new Error(`${name} has answered no row`);
    return row;
  };
}

/** SQL of a time as epoch milliseconds. Exact: a double of seconds is off by less than 0.1 ms until the year 9999. */
export const epochMs = (column: string) => `round(date_part('epoch', ${column}) * 1000)`;

/** A statement that lets the rest of its transaction wait so long for each lock: other sessions queue behind one that waits. */
export function lockWait(ms: number): Statement {
  return { name: `wait-${ms}-ms-for-locks`, text: `set local lock_timeout = ${ms}` };
}

/** SQL of a time as the API writes it: UTC, whole milliseconds. Such texts compare as their times do. */
export const timeText = (time: string): string =>
  `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Columns of the table `alias` under their names, times as text. */
export const timeColumns = (alias: string, ...names: readonly string[]): string =>
  names.map((name) => `${timeText(`${alias}.${name}`)} as ${name}`).join(', ');
