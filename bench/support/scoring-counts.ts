/** Where workers found the profiles of a run, and how much they flagged, by their own metrics. */
import type { BenchTable } from './bench.ts';
import { readMetrics } from './metrics.ts';
import type { RoleProcess } from './role-process.ts';

/** Tiers of profiles, the nearest first. */
const TIERS = ['memory', 'redis', 'postgres'] as const;
const SCORED = 'risk_transactions_scored_total';

export type ScoringCounts = {
  readonly scored: number;
  readonly approved: number;
  /** Profiles that a tier had. */
  readonly hits: Readonly<Record<(typeof TIERS)[number], number>>;
  /** Profiles that no tier had, rebuilt from transactions. Those of a party again and again count each time. */
  readonly rebuilt: number;
};

/** Counts of all workers since their starts. */
export async function readScoringCounts(
  workers: readonly RoleProcess[],
  signal: AbortSignal,
): Promise<ScoringCounts> {
  const all = await Promise.all(workers.map((worker) => readMetrics(worker, signal)));
  const sum = (name: string, labels?: Readonly<Record<string, string>>) =>
    all.reduce((total, one) => total + one.sum(name, labels), 0);
  const hits = (tier: string) => sum('risk_cache_hits_total', { cache: 'folded_profiles', tier });
  return {
    scored: sum(SCORED),
    approved: sum(SCORED, { verdict: 'approve' }),
    hits: { memory: hits('memory'), redis: hits('redis'), postgres: hits('postgres') },
    rebuilt: sum('risk_profile_rebuilds_total'),
  };
}

/** Share of transactions that were not approved between two readings. */
export function flaggedShare(before: ScoringCounts, after: ScoringCounts): number {
  return 1 - (after.approved - before.approved) / (after.scored - before.scored);
}

export function tierTable(before: ScoringCounts, after: ScoringCounts): BenchTable {
  const counts = [
    ...TIERS.map((tier) => ({
      found: tier as string,
      count: after.hits[tier] - before.hits[tier],
    })),
    { found: 'nowhere: rebuilt from transactions', count: after.rebuilt - before.rebuilt },
  ];
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  return {
    title: 'profiles of the parties of a batch, by where they were found',
    rows: counts.map((row) => ({ ...row, share: (row.count / all).toFixed(4) })),
  };
}
