/** Counts what one slice of a search finds. */
import { UNNAMED } from '../../../core/store/partitions/month-slice.ts';
import { type FoundSlice, readBoundary } from '../../../core/store/search/read-slice.ts';
import { type SearchSlice, searchSlice } from '../../../core/store/search/search-slice.ts';
import type { Database } from '../../../kit/database/pool.ts';

/** How many match, up to `slice.rows`. */
export async function countSearchSlice(
  { query }: Pick<Database, 'query'>,
  slice: SearchSlice,
): Promise<Omit<FoundSlice, 'rows'> & { readonly count: number }> {
  const { page, boundary, examined } = searchSlice(slice);
  const statement = {
    name: UNNAMED,
    text: `select count(*)::int4 as count from (${page.statement.text}) found`,
  };
  const [row] = await query<{ count: number }>(statement, page.values);
  return { count: row?.count ?? 0, reached: await readBoundary(query, boundary), examined };
}
