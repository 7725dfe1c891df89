/** Compares windows beside a calm neighbour with windows beside a disturbed one. */
import { percentiles } from '../../../bench/support/percentiles.ts';
import { type Ratio, ratioOf } from '../../../bench/support/rank-interval.ts';
import type { Decision } from './waiter.ts';

export type Window = {
  readonly isDisturbed: boolean;
  /** By `performance.now()`. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Transactions that were acknowledged in it. */
  readonly acknowledged: number;
};

export type Compared = Ratio & {
  /** The least ratio that this run would have called a breach. */
  readonly seenFrom: number;
};

/** A ratio breaches where its whole 95 % interval is worse than this. */
export const WORSE_MAX = 0.01;

export function compareWindows(windows: readonly Window[], decisions: readonly Decision[]) {
  const rows = windows.flatMap((window) => {
    const { fromMs, untilMs, isDisturbed, acknowledged } = window;
    const own = decisions.filter(({ dueMs }) => dueMs >= fromMs && dueMs < untilMs);
    // The machine stood still for the whole window, and the generator with it.
    if (own.length === 0) return [];
    const { p50, p99 } = percentiles(own.map(({ ms }) => ms));
    return [{ isDisturbed, p50, p99, perMs: acknowledged / (untilMs - fromMs) }];
  });
  const compare = (figure: 'p50' | 'p99' | 'perMs', worse: 1 | -1): Compared => {
    const of = (isDisturbed: boolean) =>
      rows.filter((row) => row.isDisturbed === isDisturbed).map((row) => row[figure]);
    const ratio = ratioOf(of(false), of(true));
    const halfWidth = worse === 1 ? ratio.ratio - ratio.low : ratio.high - ratio.ratio;
    return { ...ratio, seenFrom: 1 + worse * (WORSE_MAX + halfWidth) };
  };
  return {
    p50: compare('p50', 1),
    p99: compare('p99', 1),
    throughput: compare('perMs', -1),
  };
}
