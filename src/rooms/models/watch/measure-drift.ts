/**
 * How the vectors and scores of a day differ from those that a model was trained on, or, without a training,
 * from those of the week before.
 */
import { setImmediate } from 'node:timers/promises';
import type { ModelReference, ValueHistogram } from '../model-reference.ts';
import { type Drift, type DriftLevel, type FeatureDrift, WATCH_MINIMUM } from '../watch-report.ts';
import { countValues, describeValues, stabilityIndex } from './drift-histogram.ts';

/** A stored score: what it was, and from what. */
export type WatchedScore = {
  /** The probability, or the risk where no model decided. */
  readonly value: number;
  readonly vector: ArrayLike<number>;
};

type MeasuredDrift = {
  readonly level: DriftLevel;
  readonly score: Drift;
  readonly features: readonly FeatureDrift[];
};

/** Bounds of some and of much drift: Siddiqi, "Credit Risk Scorecards", 2006. */
const NOTICE_FROM = 0.1;
const ALERT_FROM = 0.25;
const SEVERITY: readonly DriftLevel[] = ['unknown', 'fine', 'notice', 'alert'];

/**
 * Each feature has its own turn of the event loop, so that the worker keeps scoring: 2 ms a feature of 5,000 rows.
 * @param names of the features, in the order of vectors
 * @param reference of the training; undefined compares with `before`
 */
export async function measureDrift(
  now: readonly WatchedScore[],
  before: readonly WatchedScore[],
  names: readonly string[],
  reference: ModelReference | undefined,
): Promise<MeasuredDrift> {
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
  Float32Array.from(rows, ({ vector }) => vector[at] ?? Number.NaN);

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
