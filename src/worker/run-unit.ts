/**
 * Brings a unit of held entries to its end, whatever happens: a dependency that fails makes it wait, a
 * failure of its own makes it fall apart until the entry to blame is alone, a stopping worker gives it back.
 */
import { Failure, isUnavailable, toError } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import type { HeldEntry } from './item.ts';
import type { Pause } from './pause.ts';
import type { BatchSteps } from './process-batch.ts';
import type { Left } from './settle-batch.ts';

/** Resolves to the streams whose entries of this unit are pending still, because nothing there can be settled. */
export type RunUnit = (unit: readonly HeldEntry[], onFolded: () => void) => Promise<Left>;

const NOTHING_LEFT: Left = new Map();

export type RunUnitOptions = {
  readonly steps: BatchSteps;
  readonly pause: Pause;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called before each try. */
  readonly onTry: () => void;
};

export function createRunUnit({ steps, pause, signal, log, onTry }: RunUnitOptions): RunUnit {
  return run;

  async function run(unit: readonly HeldEntry[], onFolded: () => void): Promise<Left> {
    try {
      return await untilAvailable(unit, () => steps.process(unit, onFolded));
    } catch (error) {
      return await fallApart(unit, onFolded, error);
    }
  }

  /** Bisects; a single entry has failed for its own reason. */
  async function fallApart(
    unit: readonly HeldEntry[],
    onFolded: () => void,
    error: unknown,
  ): Promise<Left> {
    const [first] = unit;
    if (first === undefined) return NOTHING_LEFT;
    if (unit.length > 1) {
      log.warn({ err: toError(error).message, entries: unit.length }, 'batch falls apart');
      const middle = unit.length >> 1;
      const left = await run(unit.slice(0, middle), () => undefined);
      return new Map([...left, ...(await run(unit.slice(middle), onFolded))]);
    }
    const failure = toOwnFailure(error);
    log.warn(
      { stream: first.stream.transactions, entry: first.entry.id, code: failure.code },
      'entry failed',
    );
    try {
      return await untilAvailable(unit, () => steps.fail(first, failure));
    } catch (reason) {
      // It was answered, so the dependency is there; nobody else may be left to say so.
      pause.end();
      log.error({ err: toError(reason).message, entry: first.entry.id }, 'entry stays pending');
      return NOTHING_LEFT;
    }
  }

  function tellLeft(left: Left): void {
    for (const [stream, { code, message }] of left) {
      log.warn({ stream, code, err: message }, 'entries cannot be settled');
    }
  }

  /** Nothing is left to us when the entries were given back, or left to whoever claims them. */
  async function untilAvailable(
    unit: readonly HeldEntry[],
    step: () => Promise<Left>,
  ): Promise<Left> {
    for (;;) {
      onTry();
      try {
        const left = await step();
        pause.end();
        tellLeft(left);
        return left;
      } catch (error) {
        if (!(error instanceof Failure && isUnavailable(error))) throw error;
        if (!signal.aborted) await pause.hold(error);
        if (!signal.aborted) continue;
        await steps.release(unit).catch((reason: unknown) => {
          log.warn({ err: toError(reason).message, entries: unit.length }, 'entries stay pending');
        });
        return NOTHING_LEFT;
      }
    }
  }
}

/** A bug met while one entry was processed is held against that entry, not against the process. */
function toOwnFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('transient', 'PROCESSING_FAILED', toError(thrown).message, { cause: thrown });
}
