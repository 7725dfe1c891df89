/** Refuses a model file: says what is wrong, and at which place of the file. */
import { Failure } from '../../../kit/words/failure.ts';
import {
  FEATURE_NAME_CHARACTERS_MAX,
  MODEL_BYTES_MAX,
  MODEL_FEATURES_MAX,
  MODEL_TREES_MAX,
} from './bounds.ts';

/** @param place path into the file, such as `trees[3].left_children[0]` */
export function refuse(place: string, why: string): never {
  throw new Failure('invalid', 'MODEL_INVALID', `${place}: ${why}`);
}

export function refuseHuge(bytes: number): void {
  if (bytes > MODEL_BYTES_MAX) refuse('file', `${bytes} bytes, at most ${MODEL_BYTES_MAX}`);
}

export function checkTreeCount(place: string, trees: number): void {
  if (trees === 0) refuse(place, 'no trees');
  if (trees > MODEL_TREES_MAX) refuse(place, `${trees} trees, at most ${MODEL_TREES_MAX}`);
}

/** Names must be distinct and of a length that can be stored and shown. */
export function checkFeatureNames(place: string, names: readonly string[]): void {
  const count = names.length;
  if (count === 0) refuse(place, 'no features');
  if (count > MODEL_FEATURES_MAX) refuse(place, `${count} features, at most ${MODEL_FEATURES_MAX}`);
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name.length === 0 || name.length > FEATURE_NAME_CHARACTERS_MAX) {
      refuse(`${place}[${index}]`, `a name has 1 to ${FEATURE_NAME_CHARACTERS_MAX} characters`);
    }
    if (seen.has(name)) refuse(`${place}[${index}]`, `${name} is there twice`);
    seen.add(name);
  }
}
