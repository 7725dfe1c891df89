/**
 * The entries that this process holds: a bound on how many, a guard against taking one twice, and the
 * list of those whose idle time must be reset because their batch takes long.
 */
import type { HeldEntry } from './item.ts';

export type HeldBeats = {
  readonly stream: string;
  readonly consumer: string;
  readonly ids: readonly string[];
};

export type InFlight = {
  readonly count: () => number;
  /** Held entries of a stream: asked for when entries are claimed or drained, so built only then. */
  readonly idsOf: (stream: string) => Set<string>;
  /** Keeps note of a unit until the returned function is called. */
  readonly hold: (unit: readonly HeldEntry[]) => () => void;
  /** Resolves once fewer than the bound are held, or the worker stops. */
  readonly room: () => Promise<void>;
  /** Entries of units held for longer than `ageMs`, by stream and consumer. */
  readonly olderThan: (ageMs: number) => HeldBeats[];
  /** Resolves once nothing is held. */
  readonly drained: () => Promise<void>;
};

export type InFlightOptions = {
  readonly entriesMax: number;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
};

export function createInFlight({ entriesMax, signal, nowMs }: InFlightOptions): InFlight {
  const units = new Map<readonly HeldEntry[], number>();
  let count = 0;
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  signal.addEventListener('abort', change, { once: true });
  return {
    count: () => count,
    idsOf: (stream) => idsOf(units.keys(), stream),
    hold(unit) {
      units.set(unit, nowMs());
      count += unit.length;
      return () => {
        units.delete(unit);
        count -= unit.length;
        change();
      };
    },
    room: async () => {
      while (count >= entriesMax && !signal.aborted) await changed.promise;
    },
    olderThan: (ageMs) => groupHeld([...units].filter(([, since]) => nowMs() - since >= ageMs)),
    drained: async () => {
      while (units.size > 0) await changed.promise;
    },
  };
}

function idsOf(units: Iterable<readonly HeldEntry[]>, stream: string): Set<string> {
  const ids = new Set<string>();
  for (const unit of units) {
    for (const held of unit) if (held.stream.transactions === stream) ids.add(held.entry.id);
  }
  return ids;
}

function groupHeld(held: readonly (readonly [readonly HeldEntry[], number])[]): HeldBeats[] {
  const groups = new Map<string, { stream: string; consumer: string; ids: string[] }>();
  for (const [unit] of held) {
    for (const { stream, consumer, entry } of unit) {
      const name = `${stream.transactions} ${consumer}`;
      const group = groups.get(name);
      if (group !== undefined) group.ids.push(entry.id);
      else groups.set(name, { stream: stream.transactions, consumer, ids: [entry.id] });
    }
  }
  return [...groups.values()];
}
