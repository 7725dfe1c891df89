/** Long work runs in slices, and the event loop turns between two slices. */
import { setImmediate as othersRan } from 'node:timers/promises';

/** Longer: other requests wait for a slice. Shorter: pauses take longer than what is between them. */
const SLICE_MS = 4;

/**
 * The function lets other work run where its last pause was a while ago. Long work calls the function between its pieces.
 * @param giveWay resolves once other work has run
 */
export function createPauses(giveWay: () => Promise<unknown> = othersRan): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < SLICE_MS) return;
    await giveWay();
    sinceMs = performance.now();
  };
}

/** Work that other work may interrupt where the generator yields. */
export type Sliced<Value> = Generator<void, Value, void>;

export function atOnce<Value>(work: Sliced<Value>): Value {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** The event loop also turns at the end, as many short pieces of work may follow each other. */
export async function inSlices<Value>(work: Sliced<Value>): Promise<Value> {
  const pause = createPauses();
  for (;;) {
    const { done, value } = work.next();
    if (done !== true) await pause();
    else {
      await othersRan();
      return value;
    }
  }
}
