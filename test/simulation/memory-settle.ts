/** lua/settle-5.lua on a stream of the simulation. */
import type { PackedEntry } from '../../src/core/stream/entries/entry.ts';
import type {
  EndedEntry,
  PublishedScores,
  Settlement,
} from '../../src/core/stream/settle/settle.ts';
import {
  type Ended,
  type EventRow,
  idOf,
  remove,
  type Stream,
  type StreamGuards,
  type StreamObserver,
  transactionIdsOf,
} from './memory-stream.ts';

export type Settling = {
  readonly nowMs: number;
  readonly observer: StreamObserver;
  readonly guards: StreamGuards;
  readonly append: (entry: PackedEntry) => void;
};

/** lua/settle-5.lua */
export function settle(stream: Stream, settlement: Settlement, settling: Settling): void {
  const { consumer, ended, replaced } = settlement;
  const { observer, guards } = settling;
  const isOwned = (entryId: string) =>
    !guards.ownerCheck || stream.group?.pending.get(idOf(entryId))?.consumer === consumer;
  const isDivided = (one: EndedEntry) =>
    one.needsOwner || one.retries.length + one.deadLetters.length > 0;
  const acknowledged = ended.filter((one) => !isDivided(one));
  const gone = goneOf(stream, acknowledged);
  for (const { entryId, scores } of acknowledged) {
    if (!gone.has(entryId)) for (const one of rowsOf(scores)) observer.scored(one, entryId);
    endAll(stream, entryId, 'acknowledged', observer);
  }
  for (const one of ended.filter(isDivided)) {
    if (isOwned(one.entryId)) divide(stream, one, settling);
  }
  for (const { entryId, by } of replaced) {
    if (!isOwned(entryId)) continue;
    for (const entry of by) settling.append(entry);
    endAll(stream, entryId, by.length > 1 ? 'divided' : 'released', observer);
  }
}

/** Looked at only where fewer are pending than are acknowledged. */
function goneOf({ group, entries }: Stream, acknowledged: readonly EndedEntry[]): Set<string> {
  const ids = acknowledged.map(({ entryId }) => entryId);
  if (ids.every((id) => group?.pending.has(idOf(id)))) return new Set();
  return new Set(ids.filter((id) => !entries.has(idOf(id))));
}

/** Reads the rows of an event as its readers do. */
function rowsOf(scores: readonly PublishedScores[]): EventRow[] {
  const rows: [string, string, string, number, number, string][] = scores.flatMap(({ rows }) =>
    JSON.parse(`[${rows}]`),
  );
  return rows.map(([transactionId, , , score, , verdict]) => ({ transactionId, score, verdict }));
}

/** Failed transactions leave the entry; the rest is acknowledged, and published unless another entry publishes it. */
function divide(
  stream: Stream,
  { entryId, scores, retries, deadLetters }: EndedEntry,
  { nowMs, observer }: Settling,
): void {
  const entry = stream.entries.get(idOf(entryId));
  remove(stream, entryId);
  if (entry === undefined) observer.ended(undefined, 'dead');
  for (const one of rowsOf(scores)) observer.scored(one, entryId);
  for (const { waitMs, next } of retries) {
    const [id] = transactionIdsOf(next);
    const member = `${next.head}\n${next.packed.toString('latin1')}`;
    stream.retries.set(member, { entry: next, dueMs: nowMs + waitMs });
    if (entry !== undefined) observer.ended(id, 'retry');
  }
  for (const { transactionId } of entry === undefined ? [] : deadLetters) {
    observer.ended(transactionId ?? '', 'dead');
  }
  const left = new Set([
    ...retries.flatMap(({ next }) => transactionIdsOf(next)),
    ...deadLetters.map(({ transactionId }) => transactionId),
  ]);
  for (const id of entry === undefined ? [] : transactionIdsOf(entry)) {
    if (!left.has(id)) observer.ended(id, 'acknowledged');
  }
}

function endAll(stream: Stream, entryId: string, how: Ended, observer: StreamObserver): void {
  const entry = stream.entries.get(idOf(entryId));
  remove(stream, entryId);
  if (entry === undefined) observer.ended(undefined, how);
  else for (const id of transactionIdsOf(entry)) observer.ended(id, how);
}
