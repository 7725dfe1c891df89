/** Transactions of the account that a scenario spoils, and whether they are given up. */
import type { Ledger } from './ledger.ts';
import type { Stage } from './scenario.ts';

export function spoiledIds({ condemned, entries }: Ledger): string[] {
  return [...condemned].flatMap((key) => entries.get(key) ?? []);
}

/** True when each of them is a dead letter. */
export async function areDead({ services }: Stage, ids: readonly string[]): Promise<boolean> {
  const [row] = await services.query<{ dead: number }>(
    `select count(*)::int as dead from dead_letters
      where transaction_id = any ($1::uuid[]) and replayed_at is null and purged_at is null`,
    [ids],
  );
  return row?.dead === ids.length;
}
