/** A model's factor as an analyst reads it: what the feature means and the value it had. */
import { FEATURE_LIST, type Feature } from '../domain/feature-schema.ts';
import type { Factor } from './opinion.ts';

const DIGITS = 4;
const FEATURES: ReadonlyMap<string, Feature> = new Map(
  FEATURE_LIST.map((feature) => [feature.name, feature]),
);

/** Feature of models that stand on the scorecard: the margin by the table of the day. */
export const SCORECARD_MARGIN = 'scorecard_margin';

/** For example "Model: Siblings of the last hour: 14 transactions". */
export function factorSentence({ feature, value }: Pick<Factor, 'feature' | 'value'>): string {
  return `Model: ${featureSentence(feature, undefined, value)}`;
}

export const featureMeaning = (name: string): string =>
  FEATURES.get(name)?.description.replace(/\.$/, '') ??
  (name === SCORECARD_MARGIN ? 'Log-odds of fraud by the scorecard' : name);

/** @param meaning of a number that is no feature of the vector */
export const featureSentence = (
  name: string,
  meaning = featureMeaning(name),
  value: number,
): string => `${meaning}: ${valueText(value, FEATURES.get(name)?.unit ?? '')}`;

function valueText(value: number, unit: string): string {
  if (Number.isNaN(value)) return 'unknown';
  if (unit === '0 or 1') return value === 0 ? 'no' : 'yes';
  // The language defines the result exactly, so it is the same on every engine.
  const number = String(Number(value.toPrecision(DIGITS)));
  return unit === '' || unit === 'ratio' || unit === 'share' ? number : `${number} ${unit}`;
}
