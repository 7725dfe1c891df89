/**
 * Takes over entries of workers that crashed or hang, or that do not read the version of an entry. Each claim counts as a
 * delivery, so no more is claimed than is worked on at once, and nothing that cannot be settled.
 */
import type { Duty } from '../../kit/duties/run-duties.ts';
import { Failure } from '../../kit/words/failure.ts';
import {
  CLAIM_START,
  claimStale,
  ensureGroups,
  isGroupMissing,
} from '../stream/group/consumer-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import { prove } from '../stream/settle/settle.ts';
import { divideEntries } from './end-batch.ts';
import { isOfOneStream } from './reader.ts';
import { runBatch } from './run-batch.ts';
import type { Worker } from './worker.ts';

/** Transactions of one claim; with CLAIMS_MAX it bounds what one call does for a stream. */
const CLAIM_TRANSACTIONS = 250;
const CLAIMS_MAX = 100;

/** Claims what is to be had in every stream, and returns when that is settled. */
export function createReclaim(worker: Worker): Duty {
  const { config, inFlight, pause } = worker;
  /** Where the last claim of each stream ended: a long pending list is walked, not searched again. */
  const cursors = new Map<StreamKeys, string>();
  const claimAll = async (stream: StreamKeys, signal: AbortSignal) => {
    for (let claims = 0; claims < CLAIMS_MAX; claims++) {
      await inFlight.below(config.RISK_WORKER_READERS);
      if (signal.aborted) return;
      const next = await claimOnce(worker, stream, cursors.get(stream) ?? CLAIM_START);
      cursors.set(stream, next);
      if (next === CLAIM_START) return;
    }
  };
  return {
    name: 'reclaim',
    everyMs: Math.ceil(config.RISK_CLAIM_IDLE_MS / 3),
    async run(signal) {
      await pause.over();
      for (const stream of worker.streams.values()) {
        if (!worker.isStopped(stream.corridor)) await claimAll(stream, signal);
      }
    },
  };
}

/** Returns the cursor of the next claim. */
async function claimOnce(worker: Worker, stream: StreamKeys, cursor: string): Promise<string> {
  const { config, market, inFlight, metrics, log } = worker;
  const { redis, guards } = market;
  try {
    const claimed = await guards.streamsOf(stream.corridor).run(async () => {
      await prove(redis, stream);
      return await claimStale(redis, worker.entries.version, {
        stream,
        consumer: `${worker.name}-0`,
        idleMs: config.RISK_CLAIM_IDLE_MS,
        cursor,
        transactionsMax: CLAIM_TRANSACTIONS,
      });
    });
    const busy = inFlight.idsOf(stream.transactions);
    const entries = claimed.entries.filter(({ id }) => !busy.has(id));
    const suspects = claimed.suspects.filter(({ id }) => !busy.has(id));
    if (entries.length + suspects.length > 0) {
      metrics.claimed.inc(entries.length + suspects.length);
      const counts = { entries: entries.length, divided: suspects.length };
      log.info({ stream: stream.transactions, ...counts }, 'claimed entries');
    }
    if (suspects.length > 0) await divideEntries(worker, suspects);
    if (entries.length > 0) await runBatch(worker, inFlight.begin(entries));
    return claimed.cursor;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (isGroupMissing(error)) await ensureGroups(redis, [stream.transactions]);
    // The breaker reports a failing corridor; others' entries are claimed all the same.
    else if (!isOfOneStream(error)) throw error;
    return CLAIM_START;
  }
}
