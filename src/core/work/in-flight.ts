/**
 * The entries that this process holds: a bound on the batches, a guard against taking one twice, and the
 * list of those whose idle time must be reset because their batch takes long.
 */
import type { HeldEntry } from './item.ts';

type HeldBeats = {
  readonly stream: string;
  readonly consumer: string;
  readonly ids: readonly string[];
};

export type InFlight = {
  /** Held entries of a stream; built on request, as only claims and drains need it. */
  readonly idsOf: (stream: string) => Set<string>;
  /** Records a batch until the returned function is called. */
  readonly hold: (batch: readonly HeldEntry[]) => () => void;
  /** Transactions of all batches that are held. */
  readonly transactions: () => number;
  /** Resolves once fewer batches than these are held, or the worker stops. */
  readonly below: (batches: number) => Promise<void>;
  /** Entries of batches held for longer than `ageMs`, by stream and consumer. */
  readonly olderThan: (ageMs: number) => HeldBeats[];
  /** Resolves once nothing is held. */
  readonly drained: () => Promise<void>;
};

export function createInFlight(signal: AbortSignal, nowMs: () => number): InFlight {
  const held = new Map<readonly HeldEntry[], number>();
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  signal.addEventListener('abort', change, { once: true });
  return {
    idsOf: (stream) => idsOf(held.keys(), stream),
    hold(batch) {
      held.set(batch, nowMs());
      return () => {
        held.delete(batch);
        change();
      };
    },
    transactions: () => transactionsOf(held.keys()),
    below: async (batches) => {
      while (held.size >= batches && !signal.aborted) await changed.promise;
    },
    olderThan: (ageMs) => groupHeld([...held].filter(([, since]) => nowMs() - since >= ageMs)),
    drained: async () => {
      while (held.size > 0) await changed.promise;
    },
  };
}

function transactionsOf(batches: Iterable<readonly HeldEntry[]>): number {
  let transactions = 0;
  for (const batch of batches) for (const { entry } of batch) transactions += entry.transactions;
  return transactions;
}

function idsOf(batches: Iterable<readonly HeldEntry[]>, stream: string): Set<string> {
  const ids = new Set<string>();
  for (const batch of batches) {
    for (const held of batch) if (held.stream.transactions === stream) ids.add(held.entry.id);
  }
  return ids;
}

function groupHeld(held: readonly (readonly [readonly HeldEntry[], number])[]): HeldBeats[] {
  const groups = new Map<string, { stream: string; consumer: string; ids: string[] }>();
  for (const [batch] of held) {
    for (const { stream, consumer, entry } of batch) {
      const name = `${stream.transactions} ${consumer}`;
      const group = groups.get(name);
      if (group !== undefined) group.ids.push(entry.id);
      else groups.set(name, { stream: stream.transactions, consumer, ids: [entry.id] });
    }
  }
  return [...groups.values()];
}
