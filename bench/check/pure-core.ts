/** Compares the pure core with work of much the same speed: JSON of the same transactions. */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { ACCOUNTS, foldAndScore, makeParties, makeTransaction } from '../support/pure-core.ts';

/** The two take turns, so that a short disturbance of the machine affects both. */
const TURNS = 40;
const TURN_BATCHES = 10;
const BATCH = 500;
/** Siblings an account has when the clock starts. */
const SIBLINGS = 20;

/** How many times as fast as JSON the pure core is. */
export function coreByJson(): number {
  const parties = makeParties();
  let sequence = 0;
  const next = () => Array.from({ length: BATCH }, () => makeTransaction(sequence++));
  while (sequence < SIBLINGS * ACCOUNTS) foldAndScore(next(), parties);
  let coreMs = 0;
  let jsonMs = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const batches = Array.from({ length: TURN_BATCHES }, next);
    coreMs += elapsedMs((batch) => foldAndScore(batch, parties), batches);
    jsonMs += elapsedMs(copyByJson, batches);
  }
  return jsonMs / coreMs;
}

function copyByJson(batch: readonly Transaction[]): Transaction[] {
  return batch.map((transaction) => JSON.parse(JSON.stringify(transaction)));
}

function elapsedMs(
  work: (batch: readonly Transaction[]) => unknown,
  batches: readonly (readonly Transaction[])[],
): number {
  const started = performance.now();
  for (const batch of batches) work(batch);
  return performance.now() - started;
}
