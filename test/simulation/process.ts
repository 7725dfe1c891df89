/**
 * A process of the simulation: everything it asks of the world goes through `call`, everything that
 * comes back through its own door, so it can die or stand still between any two steps. Its timers are
 * virtual: tests put `sleep` in the place of node:timers/promises.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Failure } from '../../src/kit/words/failure.ts';
import type { Clock } from './clock.ts';
import type { Fault, FaultKind, Operation } from './schedule.ts';

/** How a server answers a call, at once or later. */
export type Answer<T> = {
  readonly value: (value: T) => void;
  readonly failure: (failure: Failure) => void;
};

/** @param isCut the connection breaks half-way: only some parts of the call happen */
export type Serve<T> = (answer: Answer<T>, isCut: boolean) => void;

export type Process = ReturnType<typeof createProcess>;

export type ProcessOptions = {
  readonly name: string;
  readonly clock: Clock;
  /** How long a message travels. */
  readonly latencyMs: () => number;
  /** The fault of this call; undefined for none. */
  readonly takeFault: (operation: Operation) => Fault | undefined;
  /** True while the server of this operation cannot be reached. */
  readonly isDown: (operation: Operation) => boolean;
  /** Keeps count of effects that are long under way. */
  readonly owe: (change: 1 | -1) => void;
  readonly onCrash: () => void;
};

const FAILS_AFTER_MS = 20;

const current = new AsyncLocalStorage<{ sleep: (ms: number, signal?: AbortSignal) => unknown }>();

/** `setTimeout` of node:timers/promises, in virtual time and as the process that calls it. */
export async function sleep(
  ms: number,
  _value?: undefined,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const process = current.getStore();
  if (process === undefined) throw new Error('sleeping outside of the simulation');
  await process.sleep(ms, options.signal);
}

export function createProcess(options: ProcessOptions) {
  const { name, clock, latencyMs, takeFault } = options;
  let alive = true;
  let frozenUntilMs = Number.NEGATIVE_INFINITY;

  /** Lets something reach the process as soon as it can take it. */
  const deliver = (action: () => void): void => {
    if (!alive) return;
    const waitMs = frozenUntilMs - clock.nowMs();
    if (waitMs > 0) clock.after(waitMs, () => deliver(action));
    else action();
  };
  /** From now on nothing reaches the process any more. */
  const crash = () => {
    if (!alive) return;
    alive = false;
    clock.after(0, options.onCrash);
  };
  const freeze = (forMs: number) => {
    frozenUntilMs = Math.max(frozenUntilMs, clock.nowMs() + forMs);
  };

  /** Asks a server; `serve` may throw a Failure. */
  const call = <T>(operation: Operation, serve: Serve<T>): Promise<T> => {
    if (!alive) return new Promise<never>(() => undefined);
    const fault = takeFault(operation);
    return new Promise<T>((resolve, reject) => {
      const back = (action: () => void) => clock.after(latencyMs(), () => deliver(action));
      const fail = (failure: Failure) => back(() => reject(failure));
      const reach = (answer: Answer<T>) => {
        if (options.isDown(operation)) answer.failure(unreachable(operation));
        else serveSafely((one) => serve(one, fault?.kind === 'partial'), answer);
      };
      const plain: Answer<T> = { value: (value) => back(() => resolve(value)), failure: fail };
      const after = (atEffect: () => void): Answer<T> => ({
        value: (value) => {
          atEffect();
          plain.value(value);
        },
        failure: fail,
      });
      const forMs = fault?.forMs ?? 0;
      const reachAfter = (ms: number, answer: Answer<T>) => clock.after(ms, () => reach(answer));
      const reachLate = (answer: Answer<T>) => {
        options.owe(1);
        clock.after(FAILS_AFTER_MS + forMs, () => {
          reach(answer);
          options.owe(-1);
        });
      };
      if (fault === undefined) return reachAfter(latencyMs(), plain);
      const happenings: Readonly<Record<FaultKind, () => void>> = {
        partial: () => reachAfter(latencyMs(), plain),
        refused: () => fail(unreachable(operation)),
        'reply-lost': () =>
          reachAfter(latencyMs(), { value: () => fail(unreachable(operation)), failure: fail }),
        late() {
          clock.after(FAILS_AFTER_MS, () => fail(unreachable(operation)));
          reachLate({ value: () => undefined, failure: () => undefined });
        },
        slow: () => reachLate(plain),
        'crash-before': crash,
        'crash-after': () => reachAfter(latencyMs(), after(crash)),
        'freeze-before'() {
          freeze(forMs);
          reachLate(plain);
        },
        'freeze-after': () =>
          reachAfter(
            latencyMs(),
            after(() => freeze(forMs)),
          ),
      };
      happenings[fault.kind]();
    });
  };

  function sleepAs(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => deliver(() => reject(new Error('aborted')));
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      clock.after(ms, () =>
        deliver(() => {
          signal?.removeEventListener('abort', abort);
          resolve();
        }),
      );
    });
  }

  return {
    name,
    isAlive: () => alive,
    isFrozen: () => alive && frozenUntilMs > clock.nowMs(),
    crash,
    freeze,
    /** Runs a program as this process. */
    run: <T>(program: () => T) => current.run({ sleep: sleepAs }, program),
    call,
    /** A call that is answered at once. */
    ask: <T>(operation: Operation, effect: () => T) =>
      call<T>(operation, (answer) => answer.value(effect())),
    /** A call of several parts, each of which happens whole or not at all. */
    askAll: <T>(operation: Operation, effects: readonly (() => T)[]) =>
      call<T[]>(operation, (answer, isCut) => {
        const happening = isCut ? effects.slice(0, effects.length >> 1) : effects;
        const results = happening.map((effect) => effect());
        if (isCut) answer.failure(unreachable(operation));
        else answer.value(results);
      }),
  };
}

function serveSafely<T>(serve: (answer: Answer<T>) => void, answer: Answer<T>): void {
  try {
    serve(answer);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    answer.failure(error);
  }
}

export function unreachable(operation: Operation): Failure {
  return new Failure('unavailable', 'UNREACHABLE', `${operation} did not come through`);
}
