/** Splits a list into script calls: one for all of it, or on a cluster, where slots are spread, one a slot. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';

type SlotCall<Item> = {
  readonly items: readonly Item[];
  /** Index of each item in the list. */
  readonly places: readonly number[];
};

export function callsOf<Item extends { readonly slot: number }>(
  redis: RedisClient,
  items: readonly Item[],
): SlotCall<Item>[] {
  if (items.length === 0) return [];
  const all = items.map((_, place) => place);
  if (!(redis instanceof Cluster)) return [{ items, places: all }];
  const slots = Map.groupBy(all, (place) => items[place]?.slot);
  return [...slots.values()].map((places) => ({
    items: places.map((place) => items[place] as Item),
    places,
  }));
}
