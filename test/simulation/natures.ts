/** The effect of each transaction's nature on the worker that is about to score the transaction. */
import { Failure } from '../../src/kit/words/failure.ts';
import { raise } from './journal.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

export function meetNature(
  { natureOf, journal }: World,
  process: Process,
  transactionId: string,
): void {
  const scorings = raise(journal.scorings, transactionId);
  const nature = natureOf(transactionId);
  const failures = 1 + (Number.parseInt(transactionId.slice(-1), 16) % 3);
  if (nature === 'flaky' && scorings <= failures) throw new Error('not now');
  if (nature === 'stubborn' && scorings <= failures + 3) throw new Error('not for long');
  if (nature === 'poison') throw new Error('never');
  if (nature === 'hopeless') throw new Failure('permanent', 'HOPELESS', 'can never be scored');
  if (nature === 'crasher') {
    if (process.isAlive()) raise(journal.crashes, transactionId);
    process.crash();
    throw new Error('nobody is left to catch this');
  }
}
