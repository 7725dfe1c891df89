/**
 * Does work that takes seconds in a second thread, a piece at a time. The thread ends once no piece has come for a while, so that an idle
 * process has no second heap.
 */
import { once } from 'node:events';
import { parentPort, Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { Failure } from '../../../kit/words/failure.ts';

/** Longer: an idle process keeps some 20 MiB. Shorter: the next piece waits for another thread, a fifth of a second. */
const IDLE_MS = 10_000;

type Answer<Value> =
  | { readonly value: Value }
  | { readonly failure: ConstructorParameters<typeof Failure> };

/** @param module calls `answerAside` */
export function openAside<Asked>(module: URL) {
  const limit = pLimit(1);
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  const end = () => {
    void thread?.terminate();
    thread = undefined;
  };
  const run = async <Value>(asked: Asked): Promise<Value> => {
    clearTimeout(idle);
    thread ??= new Worker(module);
    thread.ref();
    thread.postMessage(asked);
    try {
      const [answer] = (await once(thread, 'message')) as [Answer<Value>];
      if ('failure' in answer) throw new Failure(...answer.failure);
      return answer.value;
    } catch (error) {
      // A thread that ran out of memory has ended, and the next piece begins another.
      if (!(error instanceof Failure)) thread = undefined;
      throw error;
    } finally {
      thread?.unref();
      idle = setTimeout(end, IDLE_MS).unref();
    }
  };
  return {
    run: <Value>(asked: Asked) => limit(() => run<Value>(asked)),
    /** Pieces that have not begun. */
    waiting: () => limit.pendingCount,
  };
}

/** Answers the pieces, in the module of the thread. An error that is no Failure ends the thread. */
export function answerAside<Asked>(work: (asked: Asked) => unknown): void {
  const answer = (asked: Asked): Answer<unknown> => {
    try {
      return { value: work(asked) };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { failure: [error.kind, error.code, error.message] };
    }
  };
  parentPort?.on('message', (asked: Asked) => parentPort?.postMessage(answer(asked)));
}
