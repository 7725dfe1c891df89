/**
 * Virtual time: a queue of events in the order of their moments. Between two events every promise that can
 * go on does, so what a schedule decides is the order of events and nothing else is left to chance.
 */

export type Clock = ReturnType<typeof createClock>;

export type Event = { readonly atMs: number; readonly order: number; readonly action: () => void };

export function createClock(startMs: number) {
  const queue: Event[] = [];
  let nowMs = startMs;
  let order = 0;
  return {
    nowMs: () => nowMs,
    /** Runs `action` when `afterMs` have passed; events of one moment run in the order they were asked for. */
    after(afterMs: number, action: () => void) {
      order += 1;
      push(queue, { atMs: nowMs + Math.max(0, afterMs), order, action });
    },
    /** Runs events until `isOver`; false when that does not happen before `deadlineMs`, or nothing is left to run. */
    async runUntil(isOver: () => boolean, deadlineMs: number) {
      await settlePromises();
      while (!isOver()) {
        const event = pop(queue);
        if (event === undefined || event.atMs > deadlineMs) return false;
        nowMs = event.atMs;
        event.action();
        await settlePromises();
      }
      return true;
    },
  };
}

/** Microtasks run to their end before the event loop turns. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
}

/** Adds to a heap whose first element is the earliest event. */
export function push(heap: Event[], event: Event): void {
  let index = heap.push(event) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(event, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = event;
}

export function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [a, b] = [heap[left], heap[left + 1]];
    if (a === undefined) break;
    const child = b !== undefined && isBefore(b, a) ? left + 1 : left;
    const below = heap[child];
    if (below === undefined || isBefore(last, below)) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
  return first;
}
