/** Splits a list into script calls: one for all of it, or on a cluster, where slots are spread, one a slot. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';

type SlotCall<Part> = {
  readonly parts: readonly Part[];
  /** Index of each item in the list. */
  readonly indices: readonly number[];
};

export function callsOf<Part extends { readonly slot: number }>(
  redis: RedisClient,
  parts: readonly Part[],
): SlotCall<Part>[] {
  if (parts.length === 0) return [];
  const all = parts.map((_, index) => index);
  if (!(redis instanceof Cluster)) return [{ parts, indices: all }];
  const slots = Map.groupBy(all, (index) => parts[index]?.slot);
  return [...slots.values()].map((indices) => ({
    parts: indices.map((index) => parts[index] as Part),
    indices,
  }));
}
