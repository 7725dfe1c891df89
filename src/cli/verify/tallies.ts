/** `risk verify tallies`: counts the transactions of tallied merchants again and compares. */
import type { Query } from '../../store/pool.ts';
import { listTalliedMerchants, recountTallies } from '../../store/recount-tallies.ts';

/** Merchants with differing tallies that are listed; all are counted. */
const SHOWN_MAX = 10;
const PAGE_MERCHANTS = 500;

export type TallyVerification = {
  merchants: number;
  transactions: number;
  /** Tallies that differ, and of how many. */
  different: number;
  tallies: number;
  readonly differing: { readonly merchant_id: string; readonly different: number }[];
};

export async function verifyTallies(query: Query, signal: AbortSignal): Promise<TallyVerification> {
  const sum: TallyVerification = {
    ...{ merchants: 0, transactions: 0, different: 0, tallies: 0 },
    differing: [],
  };
  let after = '';
  while (!signal.aborted) {
    const page = await listTalliedMerchants(query, after, PAGE_MERCHANTS);
    for (const merchant_id of page) {
      if (signal.aborted) break;
      const { different, tallies, transactions } = await recountTallies(query, merchant_id);
      sum.merchants++;
      sum.transactions += transactions;
      sum.different += different;
      sum.tallies += tallies;
      const isShown = different > 0 && sum.differing.length < SHOWN_MAX;
      if (isShown) sum.differing.push({ merchant_id, different });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MERCHANTS) break;
    after = last;
  }
  return sum;
}

export function describeTallies(found: TallyVerification): string[] {
  const { merchants, transactions, different, tallies, differing } = found;
  return [
    ...differing.map((one) => `differs ${one.merchant_id}: ${one.different}`),
    `merchants=${merchants} transactions=${transactions} tallies=${tallies} different=${different}`,
  ];
}
