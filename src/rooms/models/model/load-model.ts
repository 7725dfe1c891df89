/** Reads a model file, in any of the formats, into a model that can be run. */
import { hash } from 'node:crypto';
import { optionalFieldOf, parseJson } from './formats/json-place.ts';
import { LOGISTIC_FORMAT, readLogistic } from './formats/logistic-json.ts';
import { readLightgbm } from './formats/read-lightgbm.ts';
import { readXgboost } from './formats/read-xgboost.ts';
import { logisticModel, type Model, treeModel } from './model.ts';
import { refuse, refuseHuge } from './refusal.ts';

/**
 * @param featureNames for an XGBoost file without names
 * @throws Failure `MODEL_INVALID`, naming what is wrong and where
 */
export function loadModel(bytes: Uint8Array, featureNames?: readonly string[]): Model {
  refuseHuge(bytes.length);
  const sha256 = hash('sha256', bytes, 'hex');
  const text = decode(bytes);
  if (!text.trimStart().startsWith('{')) {
    return treeModel(readLightgbm(text), 'lightgbm-text', sha256);
  }
  const format = optionalFieldOf(parseJson(text), 'format');
  if (format?.value === LOGISTIC_FORMAT) return logisticModel(readLogistic(text), sha256);
  return treeModel(readXgboost(text, featureNames), 'xgboost-json', sha256);
}

/**
 * Index of each of the model's features in the engine's vectors.
 * @throws Failure `MODEL_INVALID` that lists the features the engine does not have
 */
export function bindFeatures(model: Model, vectorNames: readonly string[]): Int32Array {
  const unknown = model.featureNames.filter((name) => !vectorNames.includes(name));
  if (unknown.length > 0) refuse('features', `${unknown.join(', ')} not in the feature schema`);
  return Int32Array.from(model.featureNames, (name) => vectorNames.indexOf(name));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('file', 'is no text; XGBoost models must be saved as .json, not as .ubj');
  }
}
