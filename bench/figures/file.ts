/** The files docs/figures/NAME.json of `npm run figures`, and the comparison of recorded figures with new figures. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchReport } from '../support/bench.ts';
import type { Machine } from '../support/machine.ts';

export type Result = { readonly bench: string } & Omit<BenchReport, 'settings' | 'versions'>;

export type Bare = { readonly per_second: number; readonly cpu_us_per_transaction: number };

export type FigureFile = {
  readonly part: string;
  readonly measured_at: string;
  /** Ends in `-changed` if the files that ran differed from the commit. */
  readonly commit: string;
  readonly machine: Machine;
  /** Mean of the bare pipeline just before and just after the part, in batches of 1,000: the speed of the machine in that hour. */
  readonly bare: Bare;
  readonly results: readonly Result[];
};

export const FIGURES = fileURLToPath(new URL('../../docs/figures/', import.meta.url));

/** Undefined where the part was never measured. */
export function readFigures(part: string): FigureFile | undefined {
  const path = join(FIGURES, `${part}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Names of the figures that fail a run if they leave their intervals. */
const RATE = /^(end_to_end|scored|drained|requests|rows|knee)_per_second(_median)?$/;
const COST = /^(cpu_us_per_\w+|(api|worker|postgres|redis)_us)$/;
const WAIT = /^(accepted_to_stored|due_to_scored|decided|http)_p50_ms$/;

/** Smaller: a noisy hour fails a run. Larger: a page shows an outdated figure for longer. */
const COST_WITHIN = 1.5;
/** Rates and waits also differ with the number of processors. */
const WITHIN = 2.5;

/** Relates a figure to the bare pipeline of the same run, as machines and hours differ; undefined for a figure without a guard. */
function byBare(name: string, value: number, bare: Bare): number | undefined {
  if (RATE.test(name)) return value / bare.per_second;
  if (WAIT.test(name)) return (value * bare.per_second) / 1000;
  if (name === 'rate_divided_by_first') return value;
  return COST.test(name) ? value / bare.cpu_us_per_transaction : undefined;
}

/** Compares each guarded figure with the interval around the recorded figure. */
export function compareFigures(recorded: FigureFile, now: FigureFile) {
  return recorded.results.flatMap(({ bench, caseName, figures }, at) =>
    Object.entries(figures).flatMap(([name, value]) => {
      const middle = byBare(name, value, recorded.bare);
      if (middle === undefined) return [];
      const found = byBare(name, now.results[at]?.figures[name] ?? Number.NaN, now.bare);
      const within = COST.test(name) ? COST_WITHIN : WITHIN;
      const [from, to] = [middle / within, middle * within];
      const isLeft = !(found !== undefined && found >= from && found <= to);
      return [{ figure: `${bench}, ${caseName}: ${name}`, from, to, now: found, isLeft }];
    }),
  );
}
