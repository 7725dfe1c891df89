/**
 * Takes over entries whose consumer has left them alone: a crashed worker's, or one that hangs; and, at once, those that
 * workers of another release have handed over to those that read their version. Each claim counts as a delivery, so no more is claimed than is worked on at once. The cursor of each stream
 * is kept from call to call, so a long pending list is walked, not searched again.
 *
 * Several transactions in one entry that was delivered often go on as entries of one: only what crashes its
 * workers then meets its end by it.
 *
 * What could not be settled is not claimed, as that would hold an outage of its corridor against it.
 */
import type { Duty } from '../../kit/duties/run-duties.ts';
import { Failure } from '../../kit/words/failure.ts';
import { CLAIM_START, isGroupMissing } from '../stream/group/consumer-group.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import { runHeld } from './isolate-failures.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Transactions of one claim; with CLAIMS_MAX it bounds what one call does for a stream. */
const CLAIM_TRANSACTIONS = 250;
const CLAIMS_MAX = 100;
/** How long an entry that was handed over waits for a worker that reads it, where there is one. */
const HANDED_OVER_EVERY_MS = 1000;
type Source = { readonly stream: StreamKeys; readonly from?: string };

/** Each claims what is to be had in every stream, and returns when that is settled. */
export function createReclaim(parts: WorkerParts): Duty[] {
  const { options, inFlight, pause } = parts;
  const streams = () => [...parts.streams.values()];
  const cursors = new Map<string, string>();
  const claimAll = async (source: Source, signal: AbortSignal) => {
    const name = `${source.stream.transactions} ${source.from ?? ''}`;
    for (let claims = 0; claims < CLAIMS_MAX; claims++) {
      await inFlight.below(options.settings.readers);
      if (signal.aborted) return;
      const next = await claimOnce(parts, source, cursors.get(name) ?? CLAIM_START);
      cursors.set(name, next);
      if (next === CLAIM_START) return;
    }
  };
  return [
    {
      name: 'reclaim',
      everyMs: Math.ceil(options.settings.claimIdleMs / 3),
      async run(signal) {
        await pause.over();
        for (const stream of streams()) await claimAll({ stream }, signal);
      },
    },
    {
      name: 'handed-over',
      everyMs: HANDED_OVER_EVERY_MS,
      async run(signal) {
        await pause.over();
        for (const source of await options.group.findHandedOver(streams())) {
          await claimAll(source, signal);
        }
      },
    },
  ];
}

/** Returns the cursor of the next claim. */
async function claimOnce(
  { options, inFlight, runUnit }: WorkerParts,
  { stream, from }: Source,
  cursor: string,
): Promise<string> {
  const { group, metrics, log } = options;
  const consumer = `${options.name}-0`;
  const idleMs = from === undefined ? options.settings.claimIdleMs : 0;
  try {
    const claimed = await group.guardOf(stream.corridor)(async () => {
      await group.prove(stream);
      return await group.claim({
        ...{ stream: stream.transactions, consumer, idleMs, cursor, from },
        transactionsMax: CLAIM_TRANSACTIONS,
      });
    });
    const ours = inFlight.idsOf(stream.transactions);
    const toHeld = (entries: readonly StreamEntry[]) =>
      entries.filter(({ id }) => !ours.has(id)).map((entry) => ({ stream, consumer, entry }));
    const [held, suspects] = [toHeld(claimed.entries), toHeld(claimed.suspects)];
    if (held.length + suspects.length > 0) {
      metrics.claimed.inc(held.length + suspects.length);
      const counts = { entries: held.length, divided: suspects.length };
      log.info({ stream: stream.transactions, from, ...counts }, 'claimed entries');
    }
    if (suspects.length > 0) await options.steps.divide(suspects);
    if (held.length > 0) await runHeld(runUnit, { held, letGo: inFlight.hold(held) });
    return claimed.cursor;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (isGroupMissing(error)) await group.ensure([stream.transactions]);
    // The breaker reports a failing corridor; others' entries are claimed all the same.
    else if (!group.isOfOneStream(error)) throw error;
    return CLAIM_START;
  }
}
