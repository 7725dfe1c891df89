/**
 * Takes over entries whose consumer has left them alone: a crashed worker's, or one that hangs. The
 * cursor of each stream is kept from call to call, so a long pending list is walked, not searched again.
 */
import { Failure } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { GroupDuties, StreamEntry } from '../stream/consumer-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { InFlight } from './in-flight.ts';
import type { HeldEntry } from './item.ts';
import type { EnsureGroups } from './reader.ts';
import type { RunUnit } from './run-unit.ts';

export type ReclaimOptions = {
  readonly consumer: string;
  readonly streams: () => readonly StreamKeys[];
  readonly claim: GroupDuties['claim'];
  readonly ensureGroups: EnsureGroups;
  readonly isGroupMissing: (failure: Failure) => boolean;
  readonly inFlight: InFlight;
  readonly runUnit: RunUnit;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly idleMs: number;
};

/** Entries of one claim; bounds the work of one call together with ROUNDS_MAX. */
const CLAIM_ENTRIES = 100;
const ROUNDS_MAX = 20;
/** Cursor of a claim that begins, or has come round. */
const START = '0-0';
/** Deliveries after which an entry runs alone, so that what it crashes is only itself. */
const DELIVERIES_TOGETHER = 3;

/** One call claims what is stale in every stream, and returns when that is settled. */
export function createReclaim(options: ReclaimOptions): (signal: AbortSignal) => Promise<void> {
  const cursors = new Map<string, string>();
  return async (signal) => {
    let streams = options.streams();
    for (let round = 0; round < ROUNDS_MAX && streams.length > 0; round++) {
      await options.inFlight.room();
      if (signal.aborted) return;
      streams = await claimRound(options, cursors, streams);
    }
  };
}

/** Returns the streams that may have more. */
async function claimRound(
  options: ReclaimOptions,
  cursors: Map<string, string>,
  streams: readonly StreamKeys[],
): Promise<StreamKeys[]> {
  const { consumer, idleMs, inFlight, metrics } = options;
  const replies = await options.claim(
    streams.map(({ transactions }) => ({
      stream: transactions,
      consumer,
      idleMs,
      cursor: cursors.get(transactions) ?? START,
      entriesMax: CLAIM_ENTRIES,
    })),
  );
  const held: HeldEntry[] = [];
  const more: StreamKeys[] = [];
  for (const [index, stream] of streams.entries()) {
    const reply = replies[index];
    if (reply === undefined) continue;
    if (reply instanceof Failure) {
      await noteFailure(options, stream, reply);
      continue;
    }
    cursors.set(stream.transactions, reply.cursor);
    if (reply.cursor !== START) more.push(stream);
    if (reply.entries.length === 0) continue;
    const ours = inFlight.idsOf(stream.transactions);
    for (const entry of reply.entries) {
      if (!ours.has(entry.id)) held.push({ stream, consumer, entry });
    }
  }
  metrics.claimed.inc(held.length);
  if (held.length > 0) options.log.info({ entries: held.length }, 'claimed stale entries');
  await runClaimed(options, held);
  return more;
}

async function noteFailure(
  { ensureGroups, isGroupMissing }: ReclaimOptions,
  stream: StreamKeys,
  failure: Failure,
): Promise<void> {
  if (!isGroupMissing(failure)) throw failure;
  await ensureGroups([stream.transactions]);
}

/** Entries that may be what crashed their workers run one by one, after the others. */
async function runClaimed(
  { inFlight, runUnit }: ReclaimOptions,
  held: readonly HeldEntry[],
): Promise<void> {
  const isSuspect = ({ deliveries }: StreamEntry) => deliveries > DELIVERIES_TOGETHER;
  const together = held.filter(({ entry }) => !isSuspect(entry));
  const alone = held.filter(({ entry }) => isSuspect(entry));
  const letGo = inFlight.hold(held);
  try {
    for (let at = 0; at < together.length; at += CLAIM_ENTRIES) {
      await runUnit(together.slice(at, at + CLAIM_ENTRIES), () => undefined);
    }
    for (const one of alone) await runUnit([one], () => undefined);
  } finally {
    letGo();
  }
}
