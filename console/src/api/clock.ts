/** Seconds of the API's clock, as pages count them. */
import { useSyncExternalStore } from 'react';
import { serverMs } from './server-time.ts';

const TICK_MS = 500;

let secondMs = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function tick(): void {
  secondMs = Math.floor(serverMs() / 1000) * 1000;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The second that it is, in epoch milliseconds; what uses it is drawn again each second. */
export function useSecond(): number {
  return useSyncExternalStore(watch, () => {
    if (timer === undefined) secondMs = Math.floor(serverMs() / 1000) * 1000;
    return secondMs;
  });
}

/** Whole seconds until a time, the current one included; 0 once it has passed. */
export function useSecondsUntil(atMs: number | null): number | null {
  useSecond();
  return atMs === null ? null : Math.max(0, Math.ceil((atMs - serverMs()) / 1000));
}
