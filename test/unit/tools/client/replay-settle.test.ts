/** Goal: the wait after a replay ends as soon as all is final, and never hides what is lost. */
import { expect, test } from 'vitest';
import { Failure } from '../../../../src/kit/words/failure.ts';
import {
  balances,
  createLedger,
  ledgerLine,
  sumLedgers,
} from '../../../../src/tools/client/ledger.ts';
import {
  type EngineTotals,
  type Settled,
  waitUntilSettled,
} from '../../../../src/tools/client/wait-until-settled.ts';

const NOTHING: Settled = {
  ...{ scored: 0, deadLettered: 0, doubled: 0, repeatedAccepted: 0 },
  ...{ latencyP50Ms: 0, latencyP99Ms: 0 },
};

/** Answers one after the other; the last one stays. */
function inTurn<T>(...answers: [T | Failure, ...(T | Failure)[]]): () => Promise<T> {
  let at = 0;
  return async () => {
    const answer = answers[Math.min(at++, answers.length - 1)] ?? answers[0];
    if (answer instanceof Failure) throw answer;
    return answer;
  };
}

const away = (what: string) => new Failure('unavailable', 'AWAY', `${what} does not answer`);

const totals = (scored: number, pending: number): EngineTotals => ({
  ...{ scored, deadLettered: 0, pending },
});

function settle(
  readTotals: () => Promise<EngineTotals>,
  countSettled: () => Promise<Settled>,
  quietMsMax = 60_000,
  onWaiting: (reason: string) => void = () => undefined,
) {
  const { signal } = new AbortController();
  /** Nothing but waiting takes time. */
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    wait: async (ms: number) => {
      nowMs += ms;
    },
  };
  const options = {
    accepted: 10,
    quietMsMax,
    signal,
    onProgress: () => undefined,
    onWaiting,
    clock,
  };
  return waitUntilSettled(readTotals, countSettled, options);
}

test('waitUntilSettled ends when all is final, though others still have work pending', async () => {
  const counted = inTurn(NOTHING, { ...NOTHING, scored: 9, deadLettered: 1 });
  const result = await settle(inTurn(totals(1, 500), totals(2, 500)), counted);
  expect(result).toMatchObject({ accepted: 10, scored: 9, deadLettered: 1, pending: 0 });
});

test('waitUntilSettled names what does not answer, once, and waits for it', async () => {
  const said: string[] = [];
  const reads = inTurn(away('Redis'), away('Redis'), totals(10, 0));
  const counts = inTurn(away('Postgres'), away('Postgres'), { ...NOTHING, scored: 10 });
  const result = await settle(reads, counts, 60_000, (reason) => said.push(reason));
  expect(result).toMatchObject({ scored: 10, pending: 0 });
  expect(said).toEqual(['Redis does not answer', 'Postgres does not answer']);
  const never = settle(inTurn<EngineTotals>(away('Redis')), inTurn<Settled>(away('Postgres')), 300);
  await expect(never).rejects.toThrow('Postgres does not answer');
});

test('waitUntilSettled gives up when nothing moves: what is not seen waiting is lost', async () => {
  const result = await settle(inTurn(totals(7, 0)), inTurn({ ...NOTHING, scored: 7 }), 300);
  expect(result).toMatchObject({ scored: 7, pending: 0 });
  const waiting = await settle(inTurn(totals(7, 2)), inTurn({ ...NOTHING, scored: 7 }), 300);
  expect(waiting).toMatchObject({ scored: 7, pending: 2 });
});

test('createLedger balances only when nothing is lost, doubled or pending', () => {
  const input = {
    ...{ accepted: 10, duplicates: 3, scored: 9, deadLettered: 1, pending: 0, doubled: 0 },
    ...{ elapsedMs: 2_000, latencyP50Ms: 12.4, latencyP99Ms: 80 },
  };
  expect(ledgerLine(createLedger(input))).toBe(
    'ledger accepted=10 duplicates=3 scored=9 dead_lettered=1 pending=0 lost=0 doubled=0 seconds=2 tx_per_second=5 p50_ms=12 p99_ms=80',
  );
  expect(balances(createLedger(input))).toBe(true);
  expect(balances(createLedger({ ...input, scored: 8 }))).toBe(false);
  expect(balances(createLedger({ ...input, doubled: 1 }))).toBe(false);
  expect(balances(createLedger({ ...input, scored: 8, pending: 1 }))).toBe(false);
  const sum = sumLedgers([createLedger(input), createLedger({ ...input, scored: 8 })]);
  expect(sum).toMatchObject({ accepted: 20, duplicates: 6, scored: 17, lost: 1, seconds: 4 });
  expect(balances(sum)).toBe(false);
});
