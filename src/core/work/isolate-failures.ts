/**
 * Brings a unit of held entries to its end in any case: it waits while a dependency fails, is bisected on a
 * failure of its own until the transaction to blame is alone, and is given back when the worker stops.
 */
import type { Log } from '../../kit/metrics/log.ts';
import { Failure, isUnavailable, toError } from '../../kit/words/failure.ts';
import { MonthDetached, monthOf } from '../../kit/words/month.ts';
import { type Left, NOTHING_LEFT } from './build-settlements.ts';
import type { HeldBatch } from './intake.ts';
import type { Decided, HeldEntry, Item } from './item.ts';
import type { Pause } from './pause.ts';
import type { BatchSteps } from './process-batch.ts';

/** Resolves to the streams whose entries of this unit are pending still, because nothing there can be settled. */
export type RunUnit = (unit: readonly HeldEntry[]) => Promise<Left>;

/** Runs a batch, and lets go of it in any case. */
export async function runHeld(runUnit: RunUnit, { held, letGo }: HeldBatch): Promise<Left> {
  try {
    return await runUnit(held);
  } finally {
    letGo();
  }
}

/** @param onTry called before each try */
export function createRunUnit(
  steps: BatchSteps,
  pause: Pause,
  signal: AbortSignal,
  log: Log,
  onTry: () => void,
): RunUnit {
  return async (unit) => {
    const { items, decided, unread } = steps.read(unit);
    if (unread.length > 0) await handOver(unread);
    const scored = await score(items);
    const left = scored && (await conclude([...decided, ...scored]));
    if (left === undefined) await release(unit);
    // No work remains when the entries were given back, or left for others to claim.
    return left ?? NOTHING_LEFT;
  };

  /** Before anything that may take long: there are workers that read them. */
  async function handOver(unread: readonly HeldEntry[]): Promise<void> {
    try {
      await untilAvailable(() => steps.handOver(unread));
    } catch (error) {
      log.error({ err: toError(error).message, entries: unread.length }, 'entries stay pending');
    }
  }

  /** Bisects; a single transaction has failed for its own reason. Undefined when the worker stops. */
  async function score(items: readonly Item[]): Promise<Decided[] | undefined> {
    const [first] = items;
    if (first === undefined) return [];
    try {
      return await untilAvailable(() => steps.score(items));
    } catch (error) {
      if (error instanceof MonthDetached) return await failMonths(items, error);
      if (items.length > 1) {
        log.warn({ err: toError(error).message, transactions: items.length }, 'batch falls apart');
        const middle = items.length >> 1;
        const before = await score(items.slice(0, middle));
        const after = before && (await score(items.slice(middle)));
        return after && [...before, ...after];
      }
      const failure = toOwnFailure(error);
      const { stream, entry } = first.held;
      const { transactionId } = first.transaction;
      log.warn(
        { stream: stream.transactions, entry: entry.id, transactionId, code: failure.code },
        'transaction failed',
      );
      return [steps.fail(first, failure)];
    }
  }

  /** Entries of a detached month cannot be scored, however often they are tried: the failure names them, so nobody bisects. */
  async function failMonths(
    items: readonly Item[],
    failure: MonthDetached,
  ): Promise<Decided[] | undefined> {
    const { detached = [], others = [] } = Object.groupBy(items, ({ transaction }) =>
      failure.months.has(monthOf(transaction.createdAtMs)) ? 'detached' : 'others',
    );
    const { code } = failure;
    log.warn({ code, err: failure.message, transactions: detached.length }, 'months are detached');
    const scored = await score(others);
    return scored && [...detached.map((item) => steps.fail(item, failure)), ...scored];
  }

  /** Bisects by entries, as one is settled as a whole. Undefined when the worker stops. */
  async function conclude(decided: readonly Decided[]): Promise<Left | undefined> {
    try {
      const left = await untilAvailable(() => steps.conclude(decided));
      if (left !== undefined) pause.end();
      return left;
    } catch (error) {
      // An answer proves that the dependency works, and there may be no other call that does.
      pause.end();
      const groups = [...Map.groupBy(decided, ({ held }) => held).values()];
      if (groups.length <= 1) {
        const entry = decided[0]?.held.entry.id;
        log.error({ err: toError(error).message, entry }, 'entry stays pending');
        return NOTHING_LEFT;
      }
      const middle = groups.length >> 1;
      const before = await conclude(groups.slice(0, middle).flat());
      const after = before && (await conclude(groups.slice(middle).flat()));
      return after && new Set([...before, ...after]);
    }
  }

  async function release(unit: readonly HeldEntry[]): Promise<void> {
    await steps.release(unit).catch((reason: unknown) => {
      log.warn({ err: toError(reason).message, entries: unit.length }, 'entries stay pending');
    });
  }

  /** Undefined when the worker stops while a dependency is down. */
  async function untilAvailable<T>(step: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      onTry();
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof Failure && isUnavailable(error))) throw error;
        if (!signal.aborted) await pause.hold(error);
        if (signal.aborted) return undefined;
      }
    }
  }
}

/** A bug met while one transaction was processed is held against it, not against the process. */
function toOwnFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('transient', 'PROCESSING_FAILED', toError(thrown).message, { cause: thrown });
}
