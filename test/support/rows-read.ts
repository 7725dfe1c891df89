/** Counts the rows that statements read, as Postgres explains them. */
import type { Query } from '../../src/kit/database/pool.ts';

type Plan = {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
};

/** Rows read from each table by the statements that `work` runs; a table whose scans were never run is left out. */
export async function rowsRead(
  database: { readonly query: Query },
  work: (query: Query) => Promise<unknown>,
): Promise<Map<string, number>> {
  const read = new Map<string, number>();
  const visit = (plan: Plan) => {
    const { 'Relation Name': table, 'Actual Loops': loops } = plan;
    const rows = plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0);
    if (table !== undefined && loops > 0) read.set(table, (read.get(table) ?? 0) + rows * loops);
    for (const child of plan.Plans ?? []) visit(child);
  };
  await work(async (statement, values) => {
    const text = `explain (analyze, format json) ${statement.text}`;
    const explained = { text };
    const [row] = await database.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(explained, values);
    for (const { Plan: plan } of row?.['QUERY PLAN'] ?? []) visit(plan);
    return await database.query(statement, values);
  });
  return read;
}
