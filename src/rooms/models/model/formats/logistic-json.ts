/**
 * The file of a logistic regression, a format of our own:
 *
 *     { "format": "risk-logistic", "version": 1, "intercept": -4.6,
 *       "features": [{ "name": "amount", "mean": 53.6, "deviation": 42.3,
 *                      "weight": 0.81, "missing_weight": 0 }, …] }
 *
 * margin = intercept + the sum over the features of
 *   weight * clip((value - mean) / deviation, -10, 10), or missing_weight where the value is NaN,
 * in float64 and in the order of the list; probability = 1 / (1 + e^-margin).
 */
import type { LogisticModel } from '../logistic-model.ts';
import { checkFeatureNames, refuse, refuseHuge } from '../refusal.ts';
import { fieldOf, itemsOf, numberOf, parseJson, textOf } from './json-place.ts';

export const LOGISTIC_FORMAT = 'risk-logistic';
const VERSION = 1;

/** @throws Failure `MODEL_INVALID` */
export function readLogistic(text: string): LogisticModel {
  refuseHuge(text.length);
  const file = parseJson(text);
  const format = fieldOf(file, 'format');
  if (textOf(format) !== LOGISTIC_FORMAT) refuse(format.path, `is not ${LOGISTIC_FORMAT}`);
  const version = fieldOf(file, 'version');
  if (numberOf(version) !== VERSION) refuse(version.path, `is not ${VERSION}`);
  const list = fieldOf(file, 'features');
  const features = itemsOf(list).map((value, index) => {
    const place = { value, path: `${list.path}[${index}]` };
    const deviation = fieldOf(place, 'deviation');
    if (!(numberOf(deviation) > 0)) refuse(deviation.path, 'is not above 0');
    return {
      name: textOf(fieldOf(place, 'name')),
      mean: numberOf(fieldOf(place, 'mean')),
      deviation: numberOf(deviation),
      weight: numberOf(fieldOf(place, 'weight')),
      missingWeight: numberOf(fieldOf(place, 'missing_weight')),
    };
  });
  checkFeatureNames(
    list.path,
    features.map(({ name }) => name),
  );
  return { intercept: numberOf(fieldOf(file, 'intercept')), features };
}

/** Reading the text back gives the same numbers, bit for bit. */
export function writeLogistic({ intercept, features }: LogisticModel): string {
  const file = {
    format: LOGISTIC_FORMAT,
    version: VERSION,
    intercept,
    features: features.map(({ name, mean, deviation, weight, missingWeight }) => ({
      ...{ name, mean, deviation, weight },
      missing_weight: missingWeight,
    })),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}
