/**
 * Brings a unit of held entries to its end, whatever happens: a dependency that fails makes it wait, a
 * failure of its own makes it fall apart until the entry to blame is alone, a stopping worker gives it back.
 */
import { Failure, isUnavailable, toError } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import type { HeldEntry } from './item.ts';
import type { Pause } from './pause.ts';
import type { BatchSteps } from './process-batch.ts';

export type RunUnit = (unit: readonly HeldEntry[], onFolded: () => void) => Promise<void>;

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

  async function run(unit: readonly HeldEntry[], onFolded: () => void): Promise<void> {
    try {
      if (await untilAvailable(unit, () => steps.process(unit, onFolded))) pause.end();
    } catch (error) {
      await fallApart(unit, onFolded, error);
    }
  }

  /** Bisects; a single entry has failed for its own reason. */
  async function fallApart(
    unit: readonly HeldEntry[],
    onFolded: () => void,
    error: unknown,
  ): Promise<void> {
    const [first] = unit;
    if (first === undefined) return;
    if (unit.length > 1) {
      log.warn({ err: toError(error).message, entries: unit.length }, 'batch falls apart');
      const middle = unit.length >> 1;
      await run(unit.slice(0, middle), () => undefined);
      await run(unit.slice(middle), onFolded);
      return;
    }
    const failure = toOwnFailure(error);
    log.warn(
      { stream: first.stream.transactions, entry: first.entry.id, code: failure.code },
      'entry failed',
    );
    try {
      if (await untilAvailable(unit, () => steps.fail(first, failure))) pause.end();
    } catch (reason) {
      // It was answered, so the dependency is there; nobody else may be left to say so.
      pause.end();
      log.error({ err: toError(reason).message, entry: first.entry.id }, 'entry stays pending');
    }
  }

  /** False when the entries were given back, or left to whoever claims them. */
  async function untilAvailable(
    unit: readonly HeldEntry[],
    step: () => Promise<void>,
  ): Promise<boolean> {
    for (;;) {
      onTry();
      try {
        await step();
        return true;
      } catch (error) {
        if (!(error instanceof Failure && isUnavailable(error))) throw error;
        if (!signal.aborted) await pause.hold(error);
        if (!signal.aborted) continue;
        await steps.release(unit).catch((reason: unknown) => {
          log.warn({ err: toError(reason).message, entries: unit.length }, 'entries stay pending');
        });
        return false;
      }
    }
  }
}

/** A bug met while one entry was processed is held against that entry, not against the process. */
function toOwnFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('transient', 'PROCESSING_FAILED', toError(thrown).message, { cause: thrown });
}
