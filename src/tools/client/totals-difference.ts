/**
 * The ledger without a database: the outcomes are the growth of the engine's own totals since before the first
 * row. They include other traffic of that time, so they are an estimate.
 */
import type { CountSettled, EngineTotals } from './wait-until-settled.ts';

export function countByTotals(before: EngineTotals | null, accepted: number): CountSettled {
  return async (now) => {
    const grown = (field: 'scored' | 'deadLettered') =>
      before === null || now === null ? 0 : Math.max(0, now[field] - before[field]);
    const deadLettered = Math.min(accepted, grown('deadLettered'));
    const scored = Math.min(accepted - deadLettered, grown('scored'));
    return {
      ...{ scored, deadLettered, doubled: 0, repeatedAccepted: 0 },
      ...{ latencyP50Ms: 0, latencyP99Ms: 0 },
    };
  };
}
