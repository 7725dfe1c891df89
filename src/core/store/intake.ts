/**
 * Intakes: tables whose rows name transactions of which a room has to make something. The commit that stores scores or labels
 * adds a row, and the commit that makes the thing takes the row, so nothing is lost and nothing is made twice.
 */
import type { Query } from '../../kit/database/pool.ts';

export type IntakeRow = { readonly transactionIds: readonly string[] };

/**
 * Takes the oldest rows until they name so many transactions.
 * @param table has intake_id and transaction_ids
 * @param columns of the table that the rows have besides
 */
export async function takeIntake<More extends object>(
  query: Query,
  table: string,
  columns: readonly (keyof More & string)[],
  rowsMax: number,
  transactionsMax: number,
): Promise<(More & IntakeRow)[]> {
  // Ids come as one text, as the driver takes ten times as long to parse an array.
  const text = `
    delete from market.${table} where intake_id in (
      select intake_id from (
        select intake_id, sum(cardinality(transaction_ids)) over (order by intake_id) - cardinality(transaction_ids) as before
          from (select intake_id, transaction_ids from market.${table} order by intake_id limit $1) oldest) counted
       where before < $2)
    returning ${[`array_to_string(transaction_ids, ',') as ids`, ...columns].join(', ')}`;
  const statement = { name: `take-${table}`, text };
  const rows = await query<More & { readonly ids: string }>(statement, [rowsMax, transactionsMax]);
  return rows.map((row) => ({ ...row, transactionIds: row.ids.split(',') }));
}
