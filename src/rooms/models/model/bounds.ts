/**
 * How large a model may be (larger than any useful one, and small enough to be read and run without harm), and the refusal of a
 * file: what is wrong, and at which place.
 */
import type { z } from 'zod';
import { DESCRIBED, issueText } from '../../../kit/words/describe-issue.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';

/** A thousand trees of depth 8 are 40 MB of XGBoost JSON. */
export const MODEL_BYTES_MAX = 64 * 1024 * 1024;
export const MODEL_TREES_MAX = 5000;
/** Nodes of all trees together; 40 bytes a node in memory. */
export const MODEL_NODES_MAX = 2_000_000;
/** Splits on the path from a root to a leaf. Exact Shapley values take depth^2 a leaf. */
export const MODEL_DEPTH_MAX = 64;
/** Steps of an exact explanation. More: it takes longer than a request may. Fewer: LightGBM's usual 255 leaves have none beyond 2,000 trees. */
export const SHAPLEY_STEPS_MAX = 100_000_000;
const MODEL_FEATURES_MAX = 1000;
const FEATURE_NAME_CHARACTERS_MAX = 128;

/** @param path into the file, such as `trees[3].left_children[0]` */
export function refuse(path: string, why: string): never {
  throw new Failure('invalid', 'MODEL_INVALID', `${path}: ${why}`);
}

export function refuseHuge(bytes: number): void {
  if (bytes > MODEL_BYTES_MAX) refuse('file', `${bytes} bytes, at most ${MODEL_BYTES_MAX}`);
}

/** A text of JSON, or a word that libraries write for a number that JSON does not have. */
const TEXT_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|-?(?:Infinity|NaN)/gs;

/** Reads NaN and Infinity, as XGBoost and Python write them, as texts, which a schema refuses by the member that has to be a number. */
export function parseJson(text: string, path = 'file'): unknown {
  const quote = (found: string) => (found.startsWith('"') ? found : `"${found}"`);
  try {
    return JSON.parse(/NaN|Infinity/.test(text) ? text.replace(TEXT_OR_WORD, quote) : text);
  } catch (error) {
    return refuse(path, `not JSON: ${toError(error).message}`);
  }
}

/**
 * Refuses a parsed file at the first value that the schema does not allow.
 * @param at path of the value within its file
 */
export function checkShape<T>(schema: z.ZodType<T>, file: unknown, at = ''): T {
  const parsed = schema.safeParse(file, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) return refuse('file', 'is no model');
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return refuse(`${at}${path.join('')}`.replace(/^\./, '') || 'file', issueText(issue));
}

export function checkTreeCount(path: string, trees: number): void {
  if (trees === 0) refuse(path, 'no trees');
  if (trees > MODEL_TREES_MAX) refuse(path, `${trees} trees, at most ${MODEL_TREES_MAX}`);
}

/** Names must be distinct and of a length that can be stored and shown. */
export function checkFeatureNames(path: string, names: readonly string[]): void {
  const count = names.length;
  if (count === 0) refuse(path, 'no features');
  if (count > MODEL_FEATURES_MAX) refuse(path, `${count} features, at most ${MODEL_FEATURES_MAX}`);
  for (const [index, name] of names.entries()) {
    if (name.length === 0 || name.length > FEATURE_NAME_CHARACTERS_MAX) {
      refuse(`${path}[${index}]`, `a name has 1 to ${FEATURE_NAME_CHARACTERS_MAX} characters`);
    }
    if (names.indexOf(name) < index) refuse(`${path}[${index}]`, `${name} is there twice`);
  }
}
