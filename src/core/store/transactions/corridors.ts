/**
 * Corridors that transactions of a market may name: its rows of shared.corridors. `migrate` writes these, and an
 * operator who moves a corridor to another market.
 */
import type { Database } from '../../../kit/database/pool.ts';

const listStatement = {
  name: 'list-corridors',
  text: 'select corridor from market.corridors order by corridor',
};

export async function listCorridors(database: Pick<Database, 'query'>): Promise<string[]> {
  const rows = await database.query<{ corridor: string }>(listStatement);
  return rows.map((row) => row.corridor);
}
