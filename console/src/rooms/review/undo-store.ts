/** The last decision of this tab, as long as it can be taken back; it outlives the page on which it was made. */
import { useSyncExternalStore } from 'react';
import type { ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { serverMs } from '../../api/server-time.ts';

export type Undoable = {
  /** More than one where several were decided at once. */
  readonly cases: readonly ReviewCase[];
  /** The decision, in words. */
  readonly what: string;
  /** The subject of the decision, as `3 cases`. */
  readonly about: string;
};

let undoable: Undoable | undefined;
const watchers = new Set<() => void>();

export function offerUndo(next: Undoable | undefined): void {
  undoable = next;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useUndoable(): Undoable | undefined {
  return useSyncExternalStore(watch, () => undoable);
}

/** Until the first of its decisions is final; null where all wait for a second person. */
export function finalAtMs({ cases }: Undoable): number | null {
  const times = cases.flatMap(({ decision }) => decision?.final_at ?? []).map(Date.parse);
  return times.length === 0 ? null : Math.min(...times);
}

export function canUndo(one: Undoable): boolean {
  const atMs = finalAtMs(one);
  return atMs === null || atMs > serverMs();
}

/** The next page does not offer what can no longer be taken back. */
export function forgetFinal(): void {
  if (undoable !== undefined && !canUndo(undoable)) offerUndo(undefined);
}
