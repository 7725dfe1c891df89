/**
 * Whether the API answers at all, on every page: a request that costs it nothing, again and again while the page is visible. An
 * API that is frozen takes connections and answers none, so an answer has a deadline.
 */
import { useSyncExternalStore } from 'react';

/** Rest and deadline together are how late the page knows: 5 s, and a busy browser has one more. */
const EVERY_MS = 2000;
const ANSWER_MS_MAX = 3000;

let answeredAtMs = Date.now();
let isSilent = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const watchers = new Set<() => void>();

async function look(): Promise<void> {
  const isAnswered = await fetch('/livez', { signal: AbortSignal.timeout(ANSWER_MS_MAX) }).then(
    () => true,
    () => false,
  );
  if (isAnswered) answeredAtMs = Date.now();
  if (isSilent === isAnswered) {
    isSilent = !isAnswered;
    for (const watcher of watchers) watcher();
  }
  rest();
}

function rest(): void {
  clearTimeout(timer);
  if (watchers.size > 0 && !document.hidden) timer = setTimeout(look, EVERY_MS);
}

document.addEventListener('visibilitychange', rest);

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  if (watchers.size === 1) rest();
  return () => {
    watchers.delete(watcher);
    rest();
  };
}

/** Since when nothing answers, by the browser's clock; null while the API answers. */
export const useSilence = (): number | null =>
  useSyncExternalStore(watch, () => (isSilent ? answeredAtMs : null));
