/** Corridors that transactions may name: shared.corridors, written by migrate alone. */
import type { Database } from './pool.ts';

const listStatement = {
  name: 'list-corridors',
  text: 'select corridor from shared.corridors order by corridor',
};

export async function listCorridors(database: Pick<Database, 'query'>): Promise<string[]> {
  const rows = await database.query<{ corridor: string }>(listStatement);
  return rows.map((row) => row.corridor);
}
