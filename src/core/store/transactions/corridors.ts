/**
 * Corridors that transactions of a market may name: its rows of shared.corridors. `migrate` writes these, and an
 * operator who moves a corridor to another market.
 */
import type { Database } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { given, oneOf } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ALL_CORRIDORS } from '../../score/rollout/holding.ts';

const readCorridors = rowsOf<{ corridor: string }>(
  'list-corridors',
  'select corridor from market.corridors order by corridor',
);

export const listCorridors = async ({ query }: Pick<Database, 'query'>) =>
  (await readCorridors(query)).map((row) => row.corridor);

/** The corridors that a decision names. A corridor that is added later is in none of them. @throws Failure `not-found` */
export async function corridorsNamed(
  database: Pick<Database, 'query'>,
  corridor: string,
): Promise<string[]> {
  const known = await listCorridors(database);
  if (corridor === ALL_CORRIDORS) return known;
  if (known.includes(corridor)) return [corridor];
  const why = `there is no corridor ${given(corridor)}; it must be ${oneOf([ALL_CORRIDORS, ...known])}`;
  throw new Failure('not-found', 'CORRIDOR_UNKNOWN', why);
}
