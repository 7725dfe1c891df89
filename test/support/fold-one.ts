/** A transaction folded by itself, and its features by name. */
import { rowAt, vectorOf } from '../../src/core/domain/feature-rows.ts';
import { FEATURE_LIST, type FeatureName } from '../../src/core/domain/feature-schema.ts';
import type { FieldSlot } from '../../src/core/domain/metadata.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { arrivalsOf } from '../../src/core/profile/arrivals.ts';
import { beginRows } from '../../src/core/profile/fold-batch.ts';
import type { Profile, ProfileKind } from '../../src/core/profile/profile.ts';

export type NamedFeatures = Readonly<Record<FeatureName, number>>;

/** Row of a transaction's features without those of its other party; undefined where the profile does not reach. */
export function foldRow<P extends Profile>(
  kind: Pick<ProfileKind<P, never>, 'fold'>,
  profile: P,
  transaction: Transaction,
): Float64Array | undefined {
  const { arrivals, rows } = beginRows(arrivalsOf([transaction]));
  const isFolded = kind.fold(profile, arrivals, 0, rows.values, rowAt(rows, 0));
  return isFolded ? vectorOf(rows, 0) : undefined;
}

export function foldOne<P extends Profile>(
  kind: Pick<ProfileKind<P, never>, 'fold'>,
  profile: P,
  transaction: Transaction,
): NamedFeatures | undefined {
  const row = foldRow(kind, profile, transaction);
  return row && named(row);
}

/** @param slots of the vector, whose features are named by their fields */
export function named(
  vector: Float64Array,
  slots: readonly Pick<FieldSlot, 'field' | 'kind'>[] = [],
): NamedFeatures {
  const names = [
    ...FEATURE_LIST.map(({ name }) => name),
    ...slots.map(({ field, kind }) => `${field}_${kind}`),
  ];
  const entries = names.map((name, index) => [name, vector[index]]);
  return Object.fromEntries(entries) as NamedFeatures;
}
