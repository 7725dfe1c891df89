/**
 * LightGBM's text model (`Booster.save_model`, format v2 to v4): objective binary, numerical splits. It
 * computes in float64 throughout and goes left on "not above", so a threshold here is the next double.
 *
 *     tree                       Tree=0
 *     version=v4                 num_leaves=3
 *     objective=binary sigmoid:1 split_feature=0 1
 *     feature_names=a b          threshold=0.5 1.5          of inner nodes, as the next four
 *     ...                        decision_type=2 8          bit 0 categorical, bit 1 missing goes left,
 *                                                           bits 2-3 missing type: none, zero, NaN
 *                                left_child=1 -1            an inner node, or ~ the number of a leaf
 *                                leaf_value=0.1 -0.2 0.3
 *                                ...
 *                                end of trees
 */
import { checkFeatureNames, checkTreeCount, refuse } from './bounds.ts';
import { type LooseTree, layOutTrees, type TreeEnsemble } from './lay-out-trees.ts';
import { nextDouble } from './predict-trees.ts';

const VERSIONS = ['v2', 'v3', 'v4'];
const OBJECTIVES = ['binary', 'cross_entropy'];
const CATEGORICAL = 1;
const DEFAULT_LEFT = 2;
const MISSING_TYPE_SHIFT = 2;
/** Missing types in the order of their numbers. */
const MISSING_TYPES = ['none', 'zero', 'nan'] as const;
type MissingType = (typeof MISSING_TYPES)[number];

/** Key-value lines of one part of the file. */
type Section = { readonly path: string; readonly fields: ReadonlyMap<string, string> };

/** @throws Failure `MODEL_INVALID` */
export function readLightgbm(text: string): TreeEnsemble {
  const [header, ...sections] = sectionsOf(text);
  if (header === undefined) return refuse('file', 'has no header');
  const version = fieldOf(header, 'version');
  if (!VERSIONS.includes(version)) refuse('version', `${version} is not ${VERSIONS.join(', ')}`);
  checkSingleOutput(header);
  const names = fieldOf(header, 'feature_names').split(' ');
  checkFeatureNames('feature_names', names);
  const features = Number(fieldOf(header, 'max_feature_idx')) + 1;
  if (names.length !== features) {
    refuse('feature_names', `${names.length} names for ${features} features`);
  }
  checkTreeCount('trees', sections.length);
  const sizes = fieldOf(header, 'tree_sizes').split(' ').length;
  if (sizes !== sections.length) refuse('tree_sizes', `${sizes} for ${sections.length} trees`);
  const missingTypes: (MissingType | undefined)[] = names.map(() => undefined);
  const trees = sections.map((section, index) => readTree(section, index, missingTypes));
  const head = {
    arithmetic: 'float64' as const,
    featureNames: names,
    baseScore: 0.5,
    baseMargin: 0,
    // A random forest's probability is that of the mean of its trees, and its raw score is their sum.
    marginScale:
      readSigmoid(fieldOf(header, 'objective')) /
      (header.fields.has('average_output') ? sections.length : 1),
    missingValue: Float64Array.from(missingTypes, (type) => (type === 'zero' ? 0 : Number.NaN)),
  };
  return layOutTrees(head, trees);
}

/** The header and one section a tree. */
function sectionsOf(text: string): Section[] {
  const end = text.search(/^end of trees\s*$/m);
  if (end < 0) refuse('file', 'has no line "end of trees": truncated?');
  const parts = text.slice(0, end).split(/^(?=Tree=)/m);
  if (!/^tree\s*$/m.test(parts[0] ?? '')) refuse('file', 'does not begin with "tree"');
  return parts.map((part, index) => {
    const lines = part.split('\n').map((line) => line.trim());
    const pairs = lines.flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      if (at >= 0) return [[line.slice(0, at), line.slice(at + 1)]];
      // Only this flag without a value changes the meaning of the trees.
      return line === 'average_output' ? [[line, '']] : [];
    });
    return { path: index === 0 ? 'header' : `Tree=${index - 1}`, fields: new Map(pairs) };
  });
}

function checkSingleOutput(header: Section): void {
  for (const name of ['num_class', 'num_tree_per_iteration']) {
    if (fieldOf(header, name) !== '1') refuse(name, 'more than one output');
  }
}

/** `binary sigmoid:1`: the probability is logistic(sigmoid * margin); `cross_entropy` has a sigmoid of 1. */
function readSigmoid(objective: string): number {
  const [name = '', ...settings] = objective.split(' ');
  if (!OBJECTIVES.includes(name)) refuse('objective', `${name} is not ${OBJECTIVES.join(', ')}`);
  const setting = settings.find((word) => word.startsWith('sigmoid:'));
  const sigmoid = setting === undefined ? 1 : Number(setting.slice('sigmoid:'.length));
  if (!(sigmoid > 0 && Number.isFinite(sigmoid))) refuse('objective', `sigmoid is ${sigmoid}`);
  return sigmoid;
}

/** @param missingTypes by feature, as far as known; completed here */
function readTree(
  section: Section,
  index: number,
  missingTypes: (MissingType | undefined)[],
): LooseTree {
  const { path, fields } = section;
  if (fieldOf(section, 'Tree') !== String(index)) refuse(path, `is ${fields.get('Tree')}`);
  if (fields.get('is_linear') === '1') refuse(path, 'linear leaves: linear_tree is not supported');
  if (fieldOf(section, 'num_cat') !== '0') refuse(path, 'categorical splits: num_cat must be 0');
  const leaves = Number(fieldOf(section, 'num_leaves'));
  if (!(Number.isInteger(leaves) && leaves > 0)) refuse(path, `has ${leaves} leaves`);
  const splits = leaves - 1;
  const ofSplits = (name: string) => numbersOf(section, name, splits);
  const decisions = ofSplits('decision_type');
  const feature = ofSplits('split_feature');
  const threshold = ofSplits('threshold').map(nextDouble);
  const missingLeft = decisions.map((decision, node) => {
    if ((decision & CATEGORICAL) !== 0) refuse(path, `node ${node} is categorical`);
    const type = MISSING_TYPES[decision >> MISSING_TYPE_SHIFT];
    if (type === undefined) return refuse(path, `node ${node} has decision_type ${decision}`);
    // Without a missing type NaN is compared as 0, also where 0 counts as missing at another node.
    if (type === 'none') return 0 < (threshold[node] ?? 0) ? 1 : 0;
    const of = feature[node] ?? -1;
    if ((missingTypes[of] ?? type) !== type) {
      refuse(path, `node ${node} and an earlier one treat missing values differently`);
    }
    missingTypes[of] = type;
    return (decision & DEFAULT_LEFT) !== 0 ? 1 : 0;
  });
  // No prediction reads these, and LightGBM loads a tree without them.
  const unread = (name: string, count: number) => {
    const words = fields.get(name)?.split(' ') ?? [];
    return Array.from({ length: count }, (_, at) => Number(words[at]));
  };
  const nodeOf = (child: number) => (child < 0 ? splits + ~child : child);
  const zeros = new Float64Array(leaves);
  return {
    path,
    left: [...ofSplits('left_child').map(nodeOf), ...zeros.map(() => -1)],
    right: [...ofSplits('right_child').map(nodeOf), ...zeros.map(() => -1)],
    feature: [...feature, ...zeros],
    threshold: [...threshold, ...zeros],
    missingLeft: [...missingLeft, ...zeros],
    value: [...new Float64Array(splits), ...numbersOf(section, 'leaf_value', leaves)],
    // A tree of one leaf has no counts; none are needed there.
    cover:
      splits === 0 ? [1] : [...unread('internal_count', splits), ...unread('leaf_count', leaves)],
    gain: [...unread('split_gain', splits), ...zeros],
  };
}

function fieldOf({ path, fields }: Section, name: string): string {
  return fields.get(name) ?? refuse(path, `has no ${name}`);
}

function numbersOf(section: Section, name: string, count: number): number[] {
  if (count === 0) return [];
  const words = fieldOf(section, name).split(' ');
  if (words.length !== count) {
    refuse(section.path, `${name} has ${words.length} numbers, needs ${count}`);
  }
  return words.map((word, index) => {
    // A split at infinity sends every value that is there left, as a split at the largest double does.
    const finite = name === 'threshold' ? word.replace('inf', `${Number.MAX_VALUE}`) : word;
    const number = finite === '' ? Number.NaN : Number(finite);
    if (Number.isFinite(number)) return number;
    return refuse(section.path, `${name}[${index}] is no finite number`);
  });
}
