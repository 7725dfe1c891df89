/** Long readings that see one state of the database, however much is written meanwhile. */
import type pg from 'pg';
import type { Database, Query } from './pool.ts';

/** Reads only, on a connection of its own, for as long as it takes: a month of scores takes longer than a request may. */
export async function inSnapshot<T>(
  database: Pick<Database, 'session'>,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return await database.session(async (client, begin) => {
    await begin('isolation level repeatable read, read only');
    try {
      await client.query('set local statement_timeout = 0');
      return await work(client);
    } finally {
      await client.query('rollback').catch(() => undefined);
    }
  });
}

/** Statements on a connection of one's own. */
export function queryOf(client: pg.PoolClient): Query {
  return async <Row extends object>(
    { text }: { readonly text: string },
    values: readonly unknown[] = [],
  ) => (await client.query<Row>(text, [...values])).rows;
}
