/**
 * The engine's own figures at rest: /v1/status, and the counters of /metrics where no process died. Written to
 * the ledger, for the checker to compare.
 */
import { readMetrics } from '../../../bench/support/metrics.ts';
import type { Stage } from './scenario.ts';

const COUNTERS = {
  accepted: ['api', 'risk_transactions_accepted_total'],
  scored: ['worker', 'risk_transactions_scored_total'],
} as const;

type Status = {
  readonly totals: {
    readonly accepted: number;
    readonly scored: number;
    readonly dead_lettered: number;
  };
  readonly totals_counted_at: string;
};

/** Totals that were counted before the rest, as no worker has merged since, prove nothing about it. */
export async function tellFigures(
  { engine, ledger, until, signal }: Stage,
  countersExact: boolean,
): Promise<void> {
  const since = Date.now();
  let status: Status | undefined;
  await until('totals of /v1/status counted at rest', async () => {
    status = await engine.ask<Status>('GET', '/v1/status').catch(() => undefined);
    return status !== undefined && Date.parse(status.totals_counted_at) >= since;
  });
  const { accepted = 0, scored = 0, dead_lettered = 0 } = status?.totals ?? {};
  const stated = { 'status accepted': accepted, 'status scored': scored };
  ledger.note({ kind: 'told', figures: { ...stated, 'status dead_lettered': dead_lettered } });
  // A request that was refused late, or never answered, may have been stored without being counted.
  const isEveryAttemptAnswered = ledger.counts.refused + ledger.counts.unknown === 0;
  if (!countersExact || !isEveryAttemptAnswered || !engine.isComplete()) return;
  const figures: Record<string, number> = {};
  for (const [name, [role, metric]] of Object.entries(COUNTERS)) {
    let sum = 0;
    for (const each of engine.running(role)) {
      sum += (await readMetrics(each, signal, engine.apiKey)).sum(metric);
    }
    figures[`counter ${name}`] = sum;
  }
  ledger.note({ kind: 'told', figures });
}
