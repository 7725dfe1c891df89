/** Statements as functions of their values; Postgres prepares the text under the name, once a connection. */
import type { Query } from './pool.ts';

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

/** @returns a function that answers the row of a statement that has exactly one, as an aggregate has */
export function onlyOf<Row extends object, Given extends Values = []>(name: string, text: string) {
  const first = firstOf<Row, Given>(name, text);
  return async (query: Query, ...values: Given): Promise<Row> => {
    const row = await first(query, ...values);
    if (row === undefined) throw new Error(`${name} has answered no row`);
    return row;
  };
}
