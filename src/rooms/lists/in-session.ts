/** A database transaction of many statements, whose time a breaker does not take for a stall. */
import type { Database, Query } from '../../kit/database/pool.ts';

export async function inSession<T>(
  database: Pick<Database, 'session'>,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return await database.session(async (client, begin, query) => {
    await begin();
    try {
      const value = await work(query);
      await client.query('commit');
      return value;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  });
}
