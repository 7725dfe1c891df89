/**
 * The shape of a bench. Each file of bench/ answers one question and exports one `bench: Bench`;
 * bench/run.ts finds them, prints the machine and what they report, and exits 1 on any breach.
 */
import type { Output, Row } from '../../src/kit/command/output.ts';
import type { Log } from '../../src/kit/metrics/log.ts';

export type BenchContext = {
  readonly output: Output;
  readonly log: Log;
  /** Aborted by SIGINT or SIGTERM: stop what was started and return. */
  readonly signal: AbortSignal;
};

/** Settings of the engine that differ from their defaults, without addresses and the run's key. */
export type Settings = Readonly<Record<string, string>>;

export type Input = string | number | boolean;

/** A bound that this run measured itself, so that the ratio holds on any machine. */
export type Ceiling = {
  /** The work that was measured, in words: `COPY of the same rows, one connection`. */
  readonly name: string;
  readonly perSecond: number;
};

export type BenchTable = { readonly title: string; readonly rows: readonly Row[] };

/** A measured case: a bench returns a report for each case it tried. */
export type BenchReport = {
  /** `batches of 1000`; empty when there is only one case. */
  readonly caseName: string;
  /** Sizes, seed, and what the servers say of themselves. */
  readonly inputs: Readonly<Record<string, Input>>;
  readonly settings: Settings;
  /**
   * Versions of the software that took part: `{ postgres: '18.4' }`. Node and the machine are printed anyway.
   */
  readonly versions: Readonly<Record<string, string>>;
  /** The answer, per second, to compare with the ceiling. */
  readonly perSecond: number;
  /** Everything measured; names end in their unit (`http_p99_ms`). */
  readonly figures: Readonly<Record<string, number>>;
  readonly ceilings: readonly Ceiling[];
  readonly tables: readonly BenchTable[];
  /** Promises that were broken: `lost 3 transactions`. Any makes the run exit 1. */
  readonly breaches: readonly string[];
};

export type Bench = {
  /** As on the command line: `npm run bench -- NAME`. */
  readonly name: string;
  readonly question: string;
  /** Why it does not run with the others; absent where it does: `takes half an hour`. */
  readonly onlyByName?: string;
  /** Own options, one a line, for `--help`. */
  readonly usage?: string;
  /**
   * A report for each case, as soon as the case is measured (an async generator).
   * `args` are the bench's own options; empty when all benches run.
   */
  run(args: string[], context: BenchContext): AsyncIterable<BenchReport>;
};
