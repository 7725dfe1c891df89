/**
 * Polls `/livez` while the page is visible, so that every page knows whether the API answers. A frozen API accepts connections
 * and answers none, so each request has a deadline.
 */
import { useSyncExternalStore } from 'react';

/** The page learns of a silent API within pause and deadline, 5 s together. Longer: people decide by stale figures. */
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
  isSilent = !isAnswered;
  for (const watcher of watchers) watcher();
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

/** Time of the last answer to the poll, by the browser's clock. */
export const useLastAnswer = (): number => useSyncExternalStore(watch, () => answeredAtMs);

/** Time of the last answer, by the browser's clock, while the API is silent; null while the API answers. */
export const useSilence = (): number | null =>
  useSyncExternalStore(watch, () => (isSilent ? answeredAtMs : null));
