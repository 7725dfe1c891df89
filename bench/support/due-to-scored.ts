/** How long after it was due a transaction was scored, by the events that were published. */
import { percentiles } from './percentiles.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * `created_at` is when the request was due, as in live traffic. Beside a backlog only the other corridors count, and of them
 * what was due while the backlog lasted.
 */
export async function readLatencies(
  { services }: Pick<Pipeline, 'services'>,
  published: ReadonlyMap<string, number>,
  { firstMs, lastMs, besides }: { firstMs: number; lastMs: number; besides: string },
) {
  const { rows } = await services.database.query<{ id: string; due: number; received: number }>(
    `select transaction_id as id, extract(epoch from created_at)::float8 * 1000 as due,
            extract(epoch from received_at)::float8 * 1000 as received
       from transactions
      where created_at between to_timestamp($1::float8 / 1000) and to_timestamp($2::float8 / 1000)
        and corridor <> $3`,
    [firstMs, lastMs, besides],
  );
  const fromDue: number[] = [];
  const fromReceived: number[] = [];
  for (const { id, due, received } of rows) {
    const at = published.get(id);
    if (at === undefined) continue;
    fromDue.push(at - Math.round(due));
    fromReceived.push(at - Math.round(received));
  }
  return {
    unpublished: rows.length - fromDue.length,
    fromDue: percentiles(fromDue),
    fromReceived: percentiles(fromReceived),
  };
}
