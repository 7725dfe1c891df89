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
export async function takeIntake<Row extends IntakeRow>(
  query: Query,
  table: string,
  columns: readonly (keyof Row & string)[],
  rowsMax: number,
  transactionsMax: number,
): Promise<Row[]> {
  const text = `
    delete from market.${table} where intake_id in (
      select intake_id from (
        select intake_id, sum(cardinality(transaction_ids)) over (order by intake_id) - cardinality(transaction_ids) as before
          from (select intake_id, transaction_ids from market.${table} order by intake_id limit $1) oldest) counted
       where before < $2)
    returning ${['transaction_ids::text[] as "transactionIds"', ...columns].join(', ')}`;
  return await query<Row>({ name: `take-${table}`, text }, [rowsMax, transactionsMax]);
}
