/** Debts of parties are exact, whatever else is in the table. */
import { expect, test } from 'vitest';
import { createPartyDebts } from '../../../../../src/core/accept/limits/party-debts.ts';
import {
  type PartyLimit,
  packUnits,
  takeUnits,
} from '../../../../../src/core/accept/limits/party-units.ts';

const ACCOUNTS: PartyLimit = { field: 'account_id', ratePerSecond: 3, burst: 7 };
const DEVICES: PartyLimit = { field: 'device_id', ratePerSecond: 1, burst: 2 };
const accounts = (ids: readonly string[], isEach = true) =>
  packUnits(
    [ACCOUNTS],
    ids.map((account_id) => ({ account_id })),
    isEach,
  );
const times = (n: number, id: string) => Array<string>(n).fill(id);

test('a party has its burst, and then its rate', () => {
  const debts = createPartyDebts();
  const passed = (n: number, atMs: number) =>
    n - takeUnits(debts, accounts(times(n, 'a')), atMs).length;
  expect([passed(9, 1000), passed(1, 1300), passed(2, 1334), passed(9, 61_334)]).toEqual([
    7, 0, 1, 7,
  ]);
  // Fractions of a millisecond add up to less than a unit in a day.
  let sum = 0;
  for (let second = 1; second <= 86_400; second++) sum += passed(4, 61_334 + second * 1000);
  expect(sum).toBe(86_400 * 3);
});

test('a request that is taken whole leaves every party as it was, and one of parts takes what is there', () => {
  const debts = createPartyDebts();
  const ids = [...times(5, 'a'), ...times(8, 'b')];
  const lacking = takeUnits(debts, accounts(ids, false), 1000);
  expect(lacking).toEqual([{ limit: 0, unit: 12, missing: expect.closeTo(1) }]);
  expect(takeUnits(debts, accounts([...times(7, 'a'), ...times(7, 'b')], false), 1000)).toEqual([]);
  const later = takeUnits(debts, accounts(['c', 'a', 'c']), 1100);
  expect(later).toEqual([{ limit: 0, unit: 1, missing: expect.closeTo(0.7) }]);
});

test('an account and a device of one name are two parties, and inputs without a device count for none', () => {
  const debts = createPartyDebts();
  const one = { account_id: 'x', device_id: 'x' };
  const inputs = [{ account_id: 'x' }, one, one, one];
  expect(takeUnits(debts, packUnits([ACCOUNTS, DEVICES], inputs, true), 1000)).toEqual([
    { limit: 1, unit: 2, missing: expect.closeTo(1) },
  ]);
});

test('100,000 parties at once share no debt, while the table grows and after it was saved and read', () => {
  const debts = createPartyDebts();
  const all = Array.from({ length: 100_000 }, (_, n) => `acc_${n}`);
  const half = () => all.flatMap((id) => times(4, id));
  expect(takeUnits(debts, accounts(half()), 1000)).toEqual([]);
  const copy = createPartyDebts();
  copy.replace(debts.pack(1000));
  for (const each of [debts, copy]) {
    // Three units are left to each of them, and one more is not.
    expect(takeUnits(each, accounts(half()), 1000)).toHaveLength(all.length);
    expect(takeUnits(each, accounts(times(2, 'other')), 1000)).toEqual([]);
  }
});

test('of more parties than fit those are forgotten that owe least', () => {
  const debts = createPartyDebts(512);
  takeUnits(debts, accounts(times(7, 'much')), 1000);
  const many = Array.from({ length: 20_000 }, (_, n) => `acc_${n}`);
  expect(takeUnits(debts, accounts(many), 1000)).toEqual([]);
  expect(debts.cells()).toBe(8192);
  expect(takeUnits(debts, accounts(['much']), 1000)).toHaveLength(1);
});
