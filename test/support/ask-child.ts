/** A message to a forked process and its answer; rejects when the process ends instead. */
import type { ChildProcess, Serializable } from 'node:child_process';
import { once } from 'node:events';

/** @param name of the process, for the error */
export async function askChild<Answer>(
  child: ChildProcess,
  message: Serializable,
  name: string,
): Promise<Answer> {
  const done = new AbortController();
  const ended = once(child, 'exit', { signal: done.signal }).then(([code]) => {
    throw new Error(`${name} ended with ${String(code)}`);
  });
  const answered = once(child, 'message', { signal: done.signal });
  child.send(message);
  try {
    const [answer] = (await Promise.race([answered, ended])) as [Answer];
    return answer;
  } finally {
    ended.catch(() => undefined);
    answered.catch(() => undefined);
    done.abort();
  }
}
