/** The load generator seen from the bench: fork, prepare, go, result. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { askChild } from '../../test/support/ask-child.ts';
import type { FromGenerator, GeneratorOptions, GeneratorResult, ToGenerator } from './generator.ts';

const GENERATOR = fileURLToPath(new URL('./generator.ts', import.meta.url));

export type GeneratorProcess = {
  readonly pid: number;
  readonly requests: number;
  readonly bytes: number;
  /** Starts posting; resolves when everything has been answered. */
  go(): Promise<GeneratorResult>;
  /** Tells how many of the load's transactions are scored. */
  noteScored(transactions: number): void;
  [Symbol.dispose](): void;
};

export async function startGenerator(
  options: GeneratorOptions,
  signal: AbortSignal,
): Promise<GeneratorProcess> {
  const child = fork(GENERATOR, { signal, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  // An abort is reported here as well as by the end of the process.
  child.on('error', () => undefined);
  const ask = (message: ToGenerator) => askChild<FromGenerator>(child, message, 'the generator');
  const prepared = await ask({ type: 'prepare', options });
  if (prepared.type !== 'prepared') throw new Error('the generator answered out of turn');
  return {
    pid: child.pid ?? 0,
    requests: prepared.requests,
    bytes: prepared.bytes,
    go: async () => {
      const finished = await ask({ type: 'go' });
      if (finished.type !== 'finished') throw new Error('the generator answered out of turn');
      return finished.result;
    },
    noteScored: (transactions) => {
      if (child.connected) child.send({ type: 'scored', transactions } satisfies ToGenerator);
    },
    [Symbol.dispose]: () => {
      child.kill();
    },
  };
}
