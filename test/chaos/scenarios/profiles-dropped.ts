/**
 * Redis drops the profiles of all parties while labels arrive. Workers make the profiles of their snapshots in Postgres, and of
 * the rows that were stored since.
 */
import { readMetrics } from '../../../bench/support/metrics.ts';
import { profileKeyPattern } from '../../../src/core/stream/keys.ts';
import { integerBetween } from '../../../src/kit/random.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
import { MARKET } from '../support/streams.ts';

/** Later drops find snapshots, of parties with some rows and few rows since. */
const DROPS = 8;
const FIRST_DROP_SHARE = 0.4;
const LABELS_A_DROP = 20;
const SCAN_KEYS = 10_000;

/** Transactions of parties that have a snapshot. */
const LABELLED = `
  select t.transaction_id::text as "transaction_id", to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "labelled_at"
    from transactions t
    join profile_snapshots s on s.kind = 'merchant' and s.party = t.merchant_id
   where not exists (select from labels l where l.transaction_id = t.transaction_id)
   order by t.transaction_id limit ${LABELS_A_DROP}`;

export async function dropProfiles({ services: { client }, happened }: Stage): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(
      cursor,
      'MATCH',
      profileKeyPattern(MARKET),
      'COUNT',
      SCAN_KEYS,
    );
    for (const key of keys) await client.unlink(key);
    if (keys.length > 0) happened('profiles dropped', keys.length);
    cursor = next;
  } while (cursor !== '0');
}

async function labelFrauds({ services, engine, happened }: Stage): Promise<void> {
  const rows = await services.query<{ transaction_id: string; labelled_at: string }>(LABELLED);
  if (rows.length === 0) return;
  const labels = rows.map((row) => ({ ...row, label: 'fraud', source: 'bank' }));
  await engine.ask('POST', '/v1/labels', { labels });
  happened('frauds labelled', rows.length);
}

export const profilesDropped: Scenario = {
  name: 'profiles-dropped',
  what: 'Redis drops all profiles again and again, while frauds of parties with snapshots are labelled',
  plan: (random) => {
    const shares = Array.from(
      { length: DROPS },
      (_, nth) => FIRST_DROP_SHARE + (nth * 7 + integerBetween(random, 0, 4)) / 100,
    );
    return {
      schedule: shares.map((share) => `dropped at ${Math.round(share * 100)} %`),
      faults: ['profiles dropped', 'frauds labelled', 'profiles made of a snapshot'],
      run: async (stage) => {
        for (const share of shares) {
          await stage.progress(share);
          await dropProfiles(stage);
          await labelFrauds(stage);
        }
      },
      judge: async ({ engine, happened, signal }) => {
        const labels = { tier: 'postgres' };
        for (const worker of engine.running('worker')) {
          const { sum } = await readMetrics(worker, signal);
          happened('profiles made of a snapshot', sum('risk_cache_hits_total', labels));
        }
      },
    };
  },
};
