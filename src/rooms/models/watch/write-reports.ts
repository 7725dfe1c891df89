/** From samples of scores to one report per model that decided, and one of the rules where they did. */

import { setImmediate } from 'node:timers/promises';
import type { ScoreWindow } from '../../../core/store/scores/score-window.ts';
import { naturalLog } from '../../../kit/elementary-functions.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { countNotAbove, findCuts } from '../bins.ts';
import type { ModelReference, ValueHistogram } from '../model-record.ts';
import {
  type Drift,
  type DriftLevel,
  type FeatureDrift,
  RULES,
  WATCH_MINIMUM,
  type WatchReport,
} from '../watch-report.ts';
import { type JudgedScore, measureOutcomes } from './measure-outcomes.ts';

const WEEK_MS = 7 * DAY_MS;

/** A stored score: what it was, and from what. */
export type WatchedScore = {
  /** The probability, or the risk where no model decided. */
  readonly value: number;
  /** Without the last features, where nobody computed them. */
  readonly vector: ArrayLike<number>;
};

/** Bounds of some and of much drift: Siddiqi, "Credit Risk Scorecards", 2006. */
const NOTICE_FROM = 0.1;
const ALERT_FROM = 0.25;
const SEVERITY: readonly DriftLevel[] = ['unknown', 'fine', 'notice', 'alert'];

/** Deciles: the custom of the index, and few enough for a small share to be seen. */
const BINS_MAX = 10;
/** Share that an empty bin counts as; otherwise one new value would be an infinite drift. */
const SHARE_MIN = 1e-4;

/** @param maturityDays how long the label of a transaction may take */
export function windowsAt(atMs: number, maturityDays: number) {
  const window = (toMs: number, lengthMs: number) => ({ fromMs: toMs - lengthMs, toMs });
  return {
    atMs,
    /** The scores that are compared. */
    recent: window(atMs, DAY_MS),
    /** The scores that `recent` is compared with where there is no training. */
    before: window(atMs - DAY_MS, WEEK_MS),
    /** The scores that are judged by labels: recent enough to be relevant, old enough to have labels. */
    matured: window(atMs - maturityDays * DAY_MS, WEEK_MS),
  };
}

/** Null: the rules decided alone. */
type ByModel = { readonly model: string | null };

type WatchSamples = {
  readonly recent: readonly (ByModel & WatchedScore)[];
  readonly before: readonly (ByModel & WatchedScore)[];
  readonly matured: readonly (ByModel & JudgedScore)[];
};

/** Most models of one time that are reported, those with the most scores first: bounds rows and metrics. */
export const SUBJECTS_MAX = 8;

/** `RULES` and names of models that a report would be about. */
export function listSubjects({ recent, matured }: WatchSamples): string[] {
  const counts = new Map<string, number>();
  for (const { model } of [...recent, ...matured]) {
    counts.set(model ?? RULES, (counts.get(model ?? RULES) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, rows], [b, others]) => others - rows || (a < b ? -1 : 1))
    .slice(0, SUBJECTS_MAX)
    .map(([subject]) => subject);
}

/** @param names of the features, in the order of vectors */
export async function writeReport(
  subject: string,
  samples: WatchSamples,
  windows: ReturnType<typeof windowsAt>,
  names: readonly string[],
  reference: ModelReference | undefined,
): Promise<WatchReport> {
  const own = <Row extends ByModel>(rows: readonly Row[]) =>
    rows.filter(({ model }) => (model ?? RULES) === subject);
  const recent = own(samples.recent);
  return {
    watched_at: new Date(windows.atMs).toISOString(),
    model: subject,
    compared_with: reference === undefined ? 'week-before' : 'training',
    window: toJson(windows.recent),
    rows: recent.length,
    ...(await measureDrift(recent, own(samples.before), names, reference)),
    outcomes: { window: toJson(windows.matured), ...measureOutcomes(own(samples.matured)) },
  };
}

function toJson({ fromMs, toMs }: ScoreWindow): WatchReport['window'] {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

/**
 * Measures how the vectors and scores of a day differ from those of a model's training, or, without a training, of the week before.
 * Each feature has its own turn of the event loop, so that the worker keeps scoring: 2 ms a feature of 5,000 rows.
 * @param names of the features, in the order of vectors
 * @param reference of the training; undefined compares with `before`
 */
export async function measureDrift(
  now: readonly WatchedScore[],
  before: readonly WatchedScore[],
  names: readonly string[],
  reference: ModelReference | undefined,
): Promise<Pick<WatchReport, 'level' | 'score' | 'features'>> {
  const valuesOf = (rows: readonly WatchedScore[]) => Float32Array.from(rows, ({ value }) => value);
  const score = reference
    ? compare(reference.probability, null, valuesOf(now))
    : compareSamples('score', valuesOf(now), valuesOf(before));
  const features: FeatureDrift[] = [];
  for (const [at, name] of names.entries()) {
    const trained = reference?.features.find((histogram) => histogram.name === name);
    if (reference !== undefined && trained === undefined) continue;
    await setImmediate();
    const values = columnOf(now, at);
    const drift = trained
      ? compare(trained, null, values)
      : compareSamples(name, values, columnOf(before, at));
    features.push({ feature: name, ...drift });
  }
  const severities = [score, ...features].map(({ level }) => SEVERITY.indexOf(level));
  return { level: SEVERITY[Math.max(...severities)] ?? 'unknown', score, features };
}

const columnOf = (rows: readonly WatchedScore[], at: number) =>
  Float32Array.from(
    rows.flatMap(({ vector }) => (at < vector.length ? (vector[at] ?? Number.NaN) : [])),
  );

function compareSamples(name: string, now: Float32Array, before: Float32Array): Drift {
  if (before.length > 0) return compare(describeValues(name, before), before.length, now);
  const missing = now.length === 0 ? null : now.filter(Number.isNaN).length / now.length;
  const sizes = { rows: now.length, reference_rows: 0 };
  return { psi: null, level: 'unknown', ...sizes, missing, missing_reference: null };
}

function compare(then: ValueHistogram, rowsThen: number | null, values: Float32Array): Drift {
  const rows = values.length;
  const counts = countValues(then.cuts, values);
  const psi = rows === 0 ? null : stabilityIndex(then, counts);
  const fewest = Math.min(rows, rowsThen ?? rows);
  const missingThen = then.shares.at(-1) ?? 0;
  // A feature whose values were all missing has no drift: the percentile of a corridor begins with its 10,000th amount.
  const isKnown = psi !== null && fewest >= WATCH_MINIMUM.driftRows && missingThen < 1;
  return {
    psi,
    level: isKnown ? levelOf(psi) : 'unknown',
    rows,
    reference_rows: rowsThen,
    missing: rows === 0 ? null : (counts.at(-1) ?? 0) / rows,
    missing_reference: missingThen,
  };
}

function levelOf(psi: number): DriftLevel {
  if (psi >= ALERT_FROM) return 'alert';
  return psi >= NOTICE_FROM ? 'notice' : 'fine';
}

/**
 * Compares the distribution of values at a model's training, which is kept with the model, with later values:
 * the population stability index.
 * @param values float32, as in training; NaN is missing
 */
export function describeValues(name: string, values: Float32Array): ValueHistogram {
  const cuts = [...findCuts(values, BINS_MAX)];
  const counts = countValues(cuts, values);
  return { name, cuts, shares: Array.from(counts, (count) => count / values.length) };
}

/** How many values each bin holds; the last number is of missing ones. */
function countValues(cuts: readonly number[], values: ArrayLike<number>): Float64Array {
  const counts = new Float64Array(cuts.length + 2);
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? Number.NaN;
    const bin = Number.isNaN(value) ? cuts.length + 1 : countNotAbove(cuts, Math.fround(value));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/**
 * The sum over the bins of (now - then) * ln(now / then). 0 is no difference; by convention below 0.1 is little
 * and above 0.25 much (Siddiqi, "Credit Risk Scorecards", 2006). NaN without counts.
 */
function stabilityIndex({ shares }: ValueHistogram, counts: Float64Array): number {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (rows === 0) return Number.NaN;
  return shares.reduce((sum, share, bin) => {
    const then = Math.max(share, SHARE_MIN);
    const now = Math.max((counts[bin] ?? 0) / rows, SHARE_MIN);
    return sum + (now - then) * naturalLog(now / then);
  }, 0);
}
