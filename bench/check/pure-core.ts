/** The pure core, and work that a processor does at much the same pace: JSON of the same transactions. */
import type { Transaction } from '../../src/domain/transaction.ts';
import { ACCOUNTS, foldAndScore, makeParties, makeTransaction } from '../support/pure-core.ts';

/** Both take turns, so that what disturbs the machine for a moment meets both. */
const TURNS = 40;
const TURN_TRANSACTIONS = 5000;
/** Siblings an account has when the clock starts. */
const SIBLINGS = 20;

/** How many times as fast as JSON the pure core is: below 1. */
export function coreByJson(): number {
  const parties = makeParties();
  let sequence = 0;
  for (; sequence < SIBLINGS * ACCOUNTS; sequence++)
    foldAndScore(makeTransaction(sequence), parties);
  let coreMs = 0;
  let jsonMs = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const transactions = Array.from({ length: TURN_TRANSACTIONS }, () =>
      makeTransaction(sequence++),
    );
    coreMs += elapsedMs((transaction) => foldAndScore(transaction, parties), transactions);
    jsonMs += elapsedMs((transaction) => JSON.parse(JSON.stringify(transaction)), transactions);
  }
  return jsonMs / coreMs;
}

function elapsedMs(work: (one: Transaction) => unknown, all: readonly Transaction[]): number {
  const started = performance.now();
  for (const one of all) work(one);
  return performance.now() - started;
}
