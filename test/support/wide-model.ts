/** A LightGBM file of full trees on features of the engine, as large as a test asks for. */
import { FEATURE_LIST } from '../../src/core/domain/feature-schema.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createRandom } from '../../src/kit/random.ts';
import { describeModel } from '../../src/rooms/models/registry/check-model.ts';
import { insertModel } from '../../src/rooms/models/store/models.ts';

const NAMES = FEATURE_LIST.map(({ name }) => name);

/** The children of a split, by its number: a split, or -1 - the number of a leaf. */
type Shape = (split: number, splits: number) => readonly [left: number, right: number];

/** A leaf lies on the last level, or on the one above. */
export const BALANCED: Shape = (split, splits) => {
  const [left, right] = [2 * split + 1, 2 * split + 2].map((child) =>
    child < splits ? child : splits - child - 1,
  ) as [number, number];
  return [left, right];
};
/** Each split has a leaf, so that the last leaf is as deep as there are splits. */
export const CHAIN: Shape = (split, splits) => [
  -1 - split,
  split + 1 < splits ? split + 1 : -1 - splits,
];

export function wideModel(trees: number, leaves: number, shape: Shape = BALANCED): string {
  const splits = leaves - 1;
  const each = (count: number, itemOf: (nth: number) => number) =>
    Array.from({ length: count }, (_, nth) => itemOf(nth)).join(' ');
  const tree = (nth: number) => `Tree=${nth}
num_leaves=${leaves}
num_cat=0
split_feature=${each(splits, (split) => (split * 7 + nth) % NAMES.length)}
split_gain=${each(splits, () => 1)}
threshold=${each(splits, (split) => ((split * 31 + nth) % 50) + 0.5)}
decision_type=${each(splits, () => 2)}
left_child=${each(splits, (split) => shape(split, splits)[0])}
right_child=${each(splits, (split) => shape(split, splits)[1])}
leaf_value=${each(leaves, (leaf) => ((leaf + nth) % 7) / 1000 - 0.003)}
leaf_count=${each(leaves, () => 4)}
internal_count=${each(splits, () => 8)}

`;
  return `tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=${NAMES.length - 1}
objective=binary sigmoid:1
feature_names=${NAMES.join(' ')}
tree_sizes=${each(trees, () => 1)}

${Array.from({ length: trees }, (_, nth) => tree(nth)).join('')}
end of trees
`;
}

/** Stores a model without asking anybody; resolves to its name. */
export async function insertWideModel(
  database: Pick<Database, 'query'>,
  name: string,
  text: string,
): Promise<string> {
  const artefact = Buffer.from(text);
  const manifest = describeModel(artefact, name, createRandom(name));
  const about = { goldenSource: 'import', createdBy: 'test' } as const;
  await insertModel(database, { manifest, artefact, format: 'lightgbm-text', ...about });
  return name;
}
