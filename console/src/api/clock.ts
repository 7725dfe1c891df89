/** The API's clock: deadlines are the server's, and the browser's clock may be wrong. It is read from the date of each answer. */
import { useSyncExternalStore } from 'react';

/** A date has whole seconds. */
const DATE_STEP_MS = 1000;
const TICK_MS = 500;

let offsetMs = 0;

/**
 * The server wrote its date between the request and the answer: the offset moves only where it contradicts that, so that
 * neither a slow answer nor the seconds of a date make times left jump.
 */
export function noteServerDate(date: string | null, askedAtMs: number): void {
  const atMs = Date.parse(date ?? '');
  if (Number.isNaN(atMs)) return;
  const least = atMs - Date.now();
  const most = atMs + DATE_STEP_MS - askedAtMs;
  offsetMs = Math.max(least, Math.min(most, offsetMs));
}

export const serverMs = () => Date.now() + offsetMs;

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
