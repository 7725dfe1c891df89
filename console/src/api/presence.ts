/**
 * Whether somebody uses the page. Each request is a use of the session, so a page that asks again and again stops doing so
 * when nobody is there, and the session can end.
 */
import { useSyncExternalStore } from 'react';

const IDLE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 15_000;
const USES = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const;

let usedAtMs = Date.now();
let isUsed = true;
const watchers = new Set<() => void>();

function set(next: boolean): void {
  if (next === isUsed) return;
  isUsed = next;
  for (const watcher of watchers) watcher();
}

function use(): void {
  usedAtMs = Date.now();
  set(true);
}

for (const name of USES) document.addEventListener(name, use, { passive: true, capture: true });
setInterval(() => set(Date.now() - usedAtMs < IDLE_MS), LOOK_EVERY_MS);

/** By the browser's clock. */
export const lastUseMs = () => usedAtMs;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** An interval for queries, as long as somebody uses the page. */
export function usePolling(everyMs: number): number | false {
  return useSyncExternalStore(watch, () => isUsed) ? everyMs : false;
}
