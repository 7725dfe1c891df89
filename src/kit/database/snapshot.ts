/** Long reads that see one state of the database, whatever is written meanwhile. */
import type { Database, Query } from './pool.ts';

/**
 * Reads only, on a connection of its own, without a time limit: a month of scores takes longer than a request
 * may.
 */
export async function inSnapshot<T>(
  database: Pick<Database, 'session'>,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return await database.session(async (client, begin, query) => {
    await begin('isolation level repeatable read, read only');
    try {
      await client.query('set local statement_timeout = 0');
      return await work(query);
    } finally {
      await client.query('rollback').catch(() => undefined);
    }
  });
}

/**
 * The rows of a select in a transaction, in constant memory.
 * @param select takes no parameters: values in its text must be the engine's own
 */
export async function* readPages<Row extends object>(
  query: Query,
  select: string,
  pageRows: number,
  signal: AbortSignal,
): AsyncGenerator<Row[]> {
  await query({ text: `declare pages no scroll cursor for ${select}` });
  for (;;) {
    signal.throwIfAborted();
    const rows = await query<Row>({ text: `fetch ${pageRows} from pages` });
    if (rows.length === 0) break;
    yield rows;
  }
  await query({ text: 'close pages' });
}
