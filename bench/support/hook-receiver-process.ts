/** The receiver of webhooks seen from the bench. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Received } from './hook-receiver.ts';

const RECEIVER = fileURLToPath(new URL('./hook-receiver.ts', import.meta.url));

export type HookReceiver = {
  readonly url: string;
  readonly received: () => Promise<Received>;
  [Symbol.dispose](): void;
};

export async function startHookReceiver(signal: AbortSignal): Promise<HookReceiver> {
  const child = fork(RECEIVER, { signal, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  // An abort is reported by the end of the process as well.
  child.on('error', () => undefined);
  const answer = async () => (await once(child, 'message', { signal }))[0];
  const port: number = await answer();
  return {
    url: `http://127.0.0.1:${port}/`,
    received: async () => {
      const answered = answer();
      child.send('count');
      return (await answered) as Received;
    },
    [Symbol.dispose]: () => {
      child.kill();
    },
  };
}
