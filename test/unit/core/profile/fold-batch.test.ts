/**
 * Goal: a batch asks for its rebuilds in few rounds and gives each transaction its own history.
 * Method: a store of rows in memory that reads at most a few rows behind a point.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { vectorOf } from '../../../../src/core/domain/feature-rows.ts';
import { type AccountPast, NO_FRAUDS } from '../../../../src/core/domain/history.ts';
import type { Transaction } from '../../../../src/core/domain/transaction.ts';
import type { AccountProfile } from '../../../../src/core/profile/account-profile.ts';
import { arrivalsOf } from '../../../../src/core/profile/arrivals.ts';
import { beginRows, foldParty, rebuildParties } from '../../../../src/core/profile/fold-batch.ts';
import { accountKind } from '../../../../src/core/profile/kinds.ts';
import { takeOwn } from '../../../../src/core/profile/packed-list.ts';
import { type NamedFeatures, named } from '../../../support/fold-one.ts';
import { transactionAt } from '../../../support/transactions.ts';

const BASE_MS = Date.UTC(2026, 5, 1);
const ROWS_BEFORE = 256;
const ROWS_AFTER = 3;
const START = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };

const at = (minute: number) => transactionAt(BASE_MS + minute * 60_000, minute);

function createStore(committed: readonly Transaction[], rowsAfter = ROWS_AFTER) {
  const rounds: number[] = [];
  const around = (point: Transaction): AccountPast => {
    const rows = committed
      .filter((row) => row.accountId === point.accountId)
      .sort((a, b) => (a.transactionId < b.transactionId ? -1 : 1));
    const before = rows.filter((row) => row.transactionId < point.transactionId);
    const after = rows.filter((row) => row.transactionId >= point.transactionId);
    const kept = [...before.slice(-ROWS_BEFORE), ...after.slice(0, rowsAfter)];
    return {
      rows: kept,
      floor: before.at(-ROWS_BEFORE - 1) ?? START,
      ceiling: after.length > rowsAfter ? (kept.at(-1) ?? null) : null,
      frauds: NO_FRAUDS,
    };
  };
  return {
    rounds,
    async *loadPasts(points: readonly Transaction[]) {
      rounds.push(points.length);
      yield* points.map(around);
    },
  };
}

type Held = Map<string, AccountProfile>;

/** As a worker does: every party with the profile that is held, then the rebuilds of those that wait. */
async function batchOf(
  transactions: readonly Transaction[],
  held: Held,
  { loadPasts }: Pick<ReturnType<typeof createStore>, 'loadPasts'>,
): Promise<NamedFeatures[]> {
  const begun = beginRows(arrivalsOf(transactions));
  const batch = { kind: accountKind, transactions, ...begun, loadPasts };
  const indices = transactions.map((_, index) => index);
  const idOf = (index: number) => transactions[index]?.transactionId ?? '';
  const inTime = indices.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const parties = Map.groupBy(inTime, (index) => transactions[index]?.accountId ?? '');
  const left = [...parties].map(([party, own]) => {
    const profile = held.get(party);
    return { party, waiting: profile ? foldParty(batch, profile, own) : own };
  });
  const waiting = left.filter((one) => one.waiting.length > 0);
  await rebuildParties(
    batch,
    waiting,
    () => takeOwn,
    ({ party }, profile) => {
      held.set(party, profile);
      return undefined;
    },
  );
  return indices.map((index) => named(vectorOf(begun.rows, index)));
}

describe('a batch', () => {
  test.each([
    ['once where a rebuild reaches both', 6, [1]],
    ['again where it does not', 3, [1, 1]],
    ['as often as it takes', 1, [1, 1, 1, 1, 1, 1]],
  ])(
    'rebuilds around the oldest of what a profile does not reach, %s',
    async (_, rowsAfter, rounds) => {
      // Two corridors a day apart take turns; what is newer comes first.
      const old = [0, 1, 2].map(at);
      const recent = [1440, 1441, 1442].map(at);
      const list = [0, 1, 2].flatMap((turn) => [recent[turn], old[turn]] as Transaction[]);
      const store = createStore(list, rowsAfter);
      const floor = recent[2] as Transaction;
      const past = { rows: [], floor, ceiling: null, frauds: NO_FRAUDS };
      const histories = await batchOf(list, new Map([['acc_1', accountKind.rebuild(past)]]), store);
      expect(histories.map((history) => history.siblings)).toEqual([3, 0, 4, 1, 5, 2]);
      expect(store.rounds).toEqual(rounds);
    },
  );

  test('tells everyone of all siblings, whatever the order and however short a rebuild is', async () => {
    const minutes = fc.uniqueArray(fc.nat(2000), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(minutes, fc.integer({ min: 1, max: 8 }), async (order, rowsAfter) => {
        const list = order.map(at);
        const { loadPasts } = createStore(list, rowsAfter);
        const histories = await batchOf(list, new Map(), { loadPasts });
        const siblings = order.map((minute) => order.filter((other) => other < minute).length);
        expect(histories.map((history) => history.siblings)).toEqual(siblings);
      }),
    );
  });
});
