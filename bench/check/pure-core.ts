/** The pure core, and work that a processor does at much the same pace: JSON of the same transactions. */
import type { Transaction } from '../../src/domain/transaction.ts';
import { ACCOUNTS, foldAndScore, makeParties, makeTransaction } from '../support/pure-core.ts';

const TRANSACTIONS = 100_000;
/** Siblings an account has when the clock starts. */
const SIBLINGS = 20;

export function scoredPerSecond(): number {
  const parties = makeParties();
  let sequence = 0;
  for (; sequence < SIBLINGS * ACCOUNTS; sequence++)
    foldAndScore(makeTransaction(sequence), parties);
  const transactions = Array.from({ length: TRANSACTIONS }, (_, at) =>
    makeTransaction(sequence + at),
  );
  return rate((transaction) => foldAndScore(transaction, parties), transactions);
}

export function jsonPerSecond(): number {
  const transactions = Array.from({ length: TRANSACTIONS }, (_, at) => makeTransaction(at));
  return rate((transaction) => JSON.parse(JSON.stringify(transaction)), transactions);
}

function rate(work: (one: Transaction) => unknown, all: readonly Transaction[]): number {
  const started = performance.now();
  for (const one of all) work(one);
  return (all.length * 1000) / (performance.now() - started);
}
