/** Runs as the model foretells them, beside what was seen. */
import { spreadOf } from '../support/spread.ts';
import { foretell } from './calibrate.ts';
import type { Observation, Observed } from './observe.ts';
import type { Model } from './plant.ts';

const KINDS = ['p50', 'p99', 'processors', 'rate', 'batches'] as const;
export type Kind = (typeof KINDS)[number];

export type Compared = {
  readonly run: string;
  readonly kind: Kind;
  readonly what: string;
  readonly seen: number;
  readonly foretold: number;
  /** Share of what was seen. */
  readonly error: number;
};

export function compare(
  model: Model,
  observed: Observed,
  use: Observation['use'],
): readonly Compared[] {
  return observed.runs
    .filter((run) => run.use === use)
    .flatMap((run) => compareRun(model, run, observed));
}

function compareRun(model: Model, run: Observation, observed: Observed): Compared[] {
  const told = foretell(model, run, observed);
  const line = (kind: Kind, what: string, seen: number, foretold: number): Compared => ({
    ...{ run: run.name, kind, what, seen, foretold },
    error: Math.abs(foretold / seen - 1),
  });
  const waits = (what: string, seen: Observation['scoredMs'], foretold: Observation['scoredMs']) =>
    seen === null || foretold === null
      ? []
      : [
          line('p50', `${what} p50, ms`, seen.p50, foretold.p50),
          line('p99', `${what} p99, ms`, seen.p99, foretold.p99),
        ];
  const posts = run.batch > 0;
  const roles = posts
    ? (['api', 'worker', 'postgres', 'redis'] as const)
    : (['api', 'postgres'] as const);
  return [
    ...waits('answered', run.answeredMs, told.answeredMs),
    ...waits('scored', run.scoredMs, told.scoredMs),
    ...roles.map((role) => line('processors', role, run.cores[role], told.cores[role])),
    // An open loop below the knee gets what it offers, whatever the model says.
    ...(posts && run.rate === 0
      ? [line('rate', 'scored a second', run.perSecond, told.perSecond)]
      : []),
    ...(posts ? [line('batches', 'batches of the workers', run.batches, told.batches)] : []),
  ];
}

export type Errors = Readonly<Record<Kind | 'all', number>>;

/** Medians. */
export function errorsOf(compared: readonly Compared[]): Errors {
  const median = (of: readonly Compared[]) => spreadOf(of.map(({ error }) => error)).median;
  const ofKind = (kind: Kind) => compared.filter((one) => one.kind === kind);
  const byKind = Object.fromEntries(KINDS.map((kind) => [kind, median(ofKind(kind))]));
  return { ...byKind, all: median(compared) } as Errors;
}
