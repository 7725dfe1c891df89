/** The clients of an overload as their scenario sees them: a process, one command after the other. */
import { fork } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { raisePriority } from '../../../src/tools/start/services/raise-priority.ts';
import { askChild } from '../../support/ask-child.ts';
import type { FloodCommand, FloodOptions, FloodReply, Phase } from './flood-client.ts';
import type { Ledger, LedgerLine } from './ledger.ts';
import type { Batch } from './load.ts';

const CLIENT = fileURLToPath(new URL('./flood-client.ts', import.meta.url));
/**
 * Higher than the engine's priority: the clients stand for other machines, whose processors it does not share.
 */
const NICENESS = constants.priority.PRIORITY_HIGH;

export type Flood = {
  readonly pid: number;
  /** False where the machine does not allow the clients a higher priority. */
  readonly isRaised: boolean;
  drive(connections: number, forMs: number): Promise<Phase>;
  offer(rate: number, forMs: number): Promise<Phase>;
  /** Gives up requests that were not accepted and writes all outcomes to the ledger; returns one more batch. */
  finish(ledger: Ledger): Promise<Batch>;
  [Symbol.dispose](): void;
};

export async function startFlood(options: FloodOptions, signal: AbortSignal): Promise<Flood> {
  const child = fork(CLIENT, {
    signal,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // An abort is reported here as well as by the end of the process.
  child.on('error', () => undefined);
  const pid = child.pid ?? 0;
  const isRaised = raisePriority(pid, NICENESS);
  const ask = (command: FloodCommand) => askChild<FloodReply>(child, command, 'the clients');
  await ask({ type: 'prepare', options });
  const phase = async (command: FloodCommand): Promise<Phase> => {
    const reply = await ask(command);
    if (reply.phase === undefined) throw outOfTurn();
    return reply.phase;
  };
  return {
    ...{ pid, isRaised },
    drive: (connections, forMs) => phase({ type: 'drive', connections, forMs }),
    offer: (rate, forMs) => phase({ type: 'offer', rate, forMs }),
    finish: async (ledger) => {
      const { batch } = await ask({ type: 'finish' });
      if (batch === undefined) throw outOfTurn();
      for (const line of readFileSync(options.ledgerFile, 'utf8').split('\n')) {
        if (line !== '') ledger.note(JSON.parse(line) as LedgerLine);
      }
      rmSync(options.ledgerFile);
      return batch;
    },
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
    },
  };
}

const outOfTurn = () => new Error('the clients answered out of turn');
