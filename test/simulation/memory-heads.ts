/** lua/adopt-1.lua, lua/read-heads-1.lua and lua/read-retry-heads-1.lua on a stream of the simulation. */
import { rowIdOf } from '../../src/core/stream/entries/entry-head.ts';
import type { HeadPage } from '../../src/core/stream/status/heads.ts';
import { idOf, type Stream } from './memory-stream.ts';

/** Few enough that most looks take several pages. */
const PAGE_ENTRIES = 2;

/** lua/adopt-1.lua */
export function adopt({ entries, group }: Stream): void {
  for (const id of group === null ? [] : entries.keys()) {
    if (group === null || id > group.lastDelivered || group.pending.has(id)) continue;
    const sinceMs = Number.NEGATIVE_INFINITY;
    group.pending.set(id, { consumer: 'adopted', sinceMs, deliveries: 1 });
  }
}

export function readHeads({ entries }: Stream, from: string): HeadPage {
  const ids = [...entries.keys()].sort((a, b) => a - b).filter((id) => isFrom(id, from));
  const page = ids.slice(0, PAGE_ENTRIES);
  const last = page.at(-1);
  return {
    rowIds: page.flatMap((id) => rowIdOf(entries.get(id)?.head ?? null) ?? []),
    next: page.length < PAGE_ENTRIES ? null : `(${last}-0`,
    last: last === undefined ? null : `${last}-0`,
  };
}

function isFrom(id: number, from: string): boolean {
  if (from === '-') return true;
  return from.startsWith('(') ? id > idOf(from.slice(1)) : id >= idOf(from);
}

export function readRetryHeads({ retries }: Stream, from: string | null): HeadPage {
  const start = Number(from ?? 0);
  const all = [...retries.values()];
  const page = all.slice(start, start + PAGE_ENTRIES);
  return {
    rowIds: page.flatMap(({ entry }) => rowIdOf(entry.head) ?? []),
    next: start + PAGE_ENTRIES < all.length ? String(start + PAGE_ENTRIES) : null,
    last: null,
  };
}
