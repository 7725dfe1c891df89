/**
 * The reconciler appends transactions that are committed but missing from the streams: batches whose append was
 * refused or failed, or whose API died, and, after Redis was lost, everything that is neither final nor
 * waiting. Appending twice is harmless and a missing entry is not, so it appends when in doubt.
 *
 * One leader of a market runs it every second or so (worker maintenance), or an operator does (`risk
 * reconcile`). A run takes a bounded time; what is left goes on in the next one.
 */
import { type Moment, readMoment } from '../../kit/database/moment.ts';
import { Failure } from '../../kit/words/failure.ts';
import {
  type ReconcileState,
  readReconcileState,
  writeReconcileState,
} from '../store/recovery/reconcile-state.ts';
import { createProducer, createStreamChoice } from '../stream/entries/producer.ts';
import { readIdentity } from '../stream/identity.ts';
import { createStreamRooms, type StreamRooms } from '../stream/memory/stream-capacity.ts';
import { createAppendMissing, type StreamOf } from './append-missing.ts';
import { createOpenBatches } from './append-open-batches.ts';
import { createCheckpoint } from './checkpoint.ts';
import { listStreams, type Market } from './market.ts';
import { createProveStreams, type ProveStreams } from './prove-streams.ts';
import { createRecovery, type Owing } from './recovery.ts';
import { waitingIn } from './waiting-window.ts';

type ReconcileSettings = {
  /** Transactions that requests may have waiting in one stream. */
  readonly transactionsMax: number;
  /** A request no longer works on a batch of this age; it is the reconciler's. */
  readonly batchAgeMs: number;
};

type ReconcileReport = {
  /** Open batches that were closed. */
  readonly batches: number;
  /** Transactions that were appended. */
  readonly appended: number;
  /** True while a recovery of what a lost Redis held is under way. */
  readonly recovering: boolean;
  /** True when transactions wait for full streams. */
  readonly full: boolean;
};

export type Reconciler = { readonly run: (signal: AbortSignal) => Promise<ReconcileReport> };

/** A run checks the identity of Redis again after this long. */
const RUN_MS_MAX = 5000;
/**
 * How full the reconciler fills a stream, by how full requests fill it: owed transactions get space while
 * requests take all that is freed, and have priority until nothing is owed.
 */
const OWED_FILL = 1.1;
/**
 * Share of a full stream that is free before it is filled up again, so that little of a page is read in vain. Less than
 * OWED_FILL adds, as requests take what is free below that.
 */
const REFILL_SHARE = 0.05;
/** Share of a stream that must be free before a pass is made for it: a pass reads all that waits. */
const RECOVERY_REFILL_SHARE = 0.1;

/** @param count called with the number of transactions of each append */
export function createReconciler(
  market: Market,
  { transactionsMax, batchAgeMs }: ReconcileSettings,
  count: (appended: number) => void,
): Reconciler {
  const { name, shards, redis } = market;
  const rooms = createStreamRooms({
    ...{ redis, transactionsMax, fill: OWED_FILL },
    listStreams: () => listStreams(market, shards),
  });
  const producer = createProducer({
    ...{ redis, market: name, shards, transactionsMax: rooms.recent, passesFaults: true },
  });
  const choose = createStreamChoice(name, shards);
  const streamOf: StreamOf = (transaction) => choose(transaction).transactions;
  const waiting = waitingIn(market);
  const proveStreams = createProveStreams(market);
  const recovery = createRecovery(market, waiting, streamOf, batchAgeMs);
  const openBatches = createOpenBatches(market, streamOf);
  const checkpoint = createCheckpoint(market, waiting, proveStreams);

  const run = async (signal: AbortSignal): Promise<ReconcileReport> => {
    const endMs = performance.now() + RUN_MS_MAX;
    const isOver = () => signal.aborted || performance.now() >= endMs;
    let [appended, batches] = [0, 0];
    const append = createAppendMissing(producer, streamOf, (transactions) => {
      appended += transactions;
      count(transactions);
    });
    const { state, moment } = await noticeLoss(market, proveStreams, recovery.begin);
    let { recovering } = state;
    let isFull = false;
    if (recovering) {
      const ampleRoomOf = await readRoom(rooms, RECOVERY_REFILL_SHARE);
      const hasAmpleRoom = (stream: string) => ampleRoomOf(stream) > 0;
      const result = await recovery.run({ state, moment, append, hasAmpleRoom, isOver });
      recovering = result.recovering;
      isFull = result.full;
    }
    for (let settled = 1; settled > 0 && !isOver(); ) {
      const roomOf = await readRoom(rooms, REFILL_SHARE);
      const round = { nowMs: moment.at.getTime(), agedMs: batchAgeMs, roomOf, append, isOver };
      const result = await openBatches.round(round);
      batches += result.closed;
      settled = result.settled;
    }
    if (!state.recovering && (await checkpoint.advance(state, moment))) {
      recovery.begin('all');
      recovering = true;
    }
    return { batches, appended, recovering, full: isFull || openBatches.full().size > 0 };
  };

  return {
    run: async (signal) => {
      try {
        return await run(signal);
      } catch (error) {
        openBatches.forget();
        recovery.begin('all');
        throw error;
      }
    },
  };
}

/** Transactions that a stream has room for; 0 until a share of its room is free. */
async function readRoom(rooms: StreamRooms, share: number): Promise<(stream: string) => number> {
  const roomOf = await rooms.measure();
  return (stream) => {
    const { total, transactionsMax } = roomOf(stream);
    const free = transactionsMax - total;
    return free >= Math.max(1, transactionsMax * share) ? free : 0;
  };
}

/**
 * Begins a recovery where the identity of Redis, or of a part of it, has changed: of everything, or of what
 * that part held. The moment is read afterwards, as what was lost was stored before it.
 */
async function noticeLoss(
  { name, database, writes, redis }: Market,
  proveStreams: ProveStreams,
  begin: (lost: Owing) => void,
): Promise<{ state: ReconcileState; moment: Moment }> {
  const state = await readReconcileState(database);
  const redisIdentity = await readIdentity(redis, name);
  const { owing, renew } = await proveStreams();
  const moment = await readMoment(database);
  const isOther = state.redisIdentity !== redisIdentity;
  if (!isOther && owing.size === 0) {
    await renew();
    return { state, moment };
  }
  // The state is written first, so that a crash cannot forget the loss.
  const noticed = { ...state, redisIdentity, recovering: true };
  if (!(await writeReconcileState(writes, state, noticed))) {
    throw new Failure('transient', 'STATE_MOVED', 'another process has noticed the loss of Redis');
  }
  begin(isOther || state.recovering ? 'all' : owing);
  await renew();
  return { state: noticed, moment };
}
