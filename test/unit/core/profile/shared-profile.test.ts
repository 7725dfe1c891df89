/**
 * Goal: a device's or a network's profile says of each transaction what the plain rule says, whatever its list has dropped, and
 * seldom asks for a rebuild. Method: long and busy pasts in disorder, with redeliveries and frauds that are labelled later, folded through
 * logs and rebuilt from plain rows; the same rule in plain code.
 */
import { expect, test } from 'vitest';
import {
  type FraudSpan,
  SHARED_ACCOUNTS_MAX,
  SHARED_ENTRIES,
  SHARED_HISTORY_DAYS,
  SHARED_LATE_DAYS,
  SHARED_OLDEST,
  SHARED_OLDEST_BEFORE,
  SHARED_WINDOWS_MS,
  type SharedPast,
} from '../../../../src/core/domain/history.ts';
import { comparePositions, type Transaction } from '../../../../src/core/domain/transaction.ts';
import { takeOwn } from '../../../../src/core/profile/packed-list.ts';
import { encodeSnapshot, readLog } from '../../../../src/core/profile/profile.ts';
import {
  addressKind,
  DROPPED_MIN,
  deviceKind,
  SHARED_LIST_ENTRIES,
  SHARED_LIST_ENTRIES_MIN,
  type SharedKind,
  type SharedProfile,
} from '../../../../src/core/profile/shared-profile.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { DAY_MS, HOUR_MS } from '../../../../src/kit/words/range.ts';
import { foldOne } from '../../../support/fold-one.ts';
import { transactionAt } from '../../../support/transactions.ts';

const BASE_MS = Date.UTC(2026, 5, 1);
const HISTORY_MS = SHARED_HISTORY_DAYS * DAY_MS;
const ROWS_AFTER = 64;
const IP = '198.18.0.7';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const STAMP = { high: 1, low: 2 };

/** Each fraud is labelled three days after it, and each third is taken back ten days later. */
const fraudsOf = (rows: readonly Transaction[]): FraudSpan[] =>
  rows.toSorted(comparePositions).flatMap(({ createdAtMs, amount }) => {
    if (Number(amount) % 7 !== 0) return [];
    const fromMs = createdAtMs + 3 * DAY_MS;
    const untilMs = Number(amount) % 3 === 0 ? fromMs + 10 * DAY_MS : Infinity;
    return { createdAtMs, fromMs, untilMs, isUnusual: false };
  });

/** The rows around a point, as Postgres reads them. */
function pastOf(known: readonly Transaction[], point: Transaction): SharedPast {
  const { createdAtMs: ms } = point;
  const [since, counting] = [ms - HISTORY_MS - SHARED_LATE_DAYS * DAY_MS, ms - HISTORY_MS + 1];
  const rows = known.filter((row) => row.createdAtMs >= since).sort(comparePositions);
  const older = rows.filter((row) => comparePositions(row, point) < 0);
  const newer = rows.slice(older.length);
  const floor = older.at(-SHARED_ENTRIES - 2) ?? { createdAtMs: since, transactionId: FIRST_ID };
  const times = rows.map((row) => row.createdAtMs);
  const before = times.filter((time) => time < counting).slice(-SHARED_OLDEST_BEFORE);
  const after = times.filter((time) => time >= counting);
  const read = after.slice(0, SHARED_OLDEST - SHARED_OLDEST_BEFORE);
  const isCut = older.length > SHARED_ENTRIES + 1;
  return {
    rows: [...older.slice(-SHARED_ENTRIES - 1), ...newer.slice(0, ROWS_AFTER)],
    floor,
    ceiling: newer.length > ROWS_AFTER ? (newer[ROWS_AFTER - 1] as Transaction) : null,
    frauds: { spans: fraudsOf(rows), floorMs: Number.NEGATIVE_INFINITY },
    oldest: isCut
      ? {
          sinceMs: before.length < SHARED_OLDEST_BEFORE ? since : (before[0] as number),
          times: [...before, ...read],
          toMs: read.length < after.length ? (read.at(-1) as number) : Infinity,
        }
      : { sinceMs: since, times: [], toMs: Infinity },
  };
}

/** The features, in words. */
function plainly({ party }: SharedKind, known: readonly Transaction[], point: Transaction) {
  const { createdAtMs: ms } = point;
  const siblings = known
    .filter((row) => comparePositions(row, point) < 0 && row.createdAtMs > ms - HISTORY_MS)
    .sort(comparePositions);
  const fromMs = ms - SHARED_WINDOWS_MS[party];
  const newest = siblings.slice(-SHARED_ENTRIES).filter((row) => row.createdAtMs > fromMs);
  const accounts = new Set([point, ...newest].map((row) => row.accountId));
  const seen = Math.min(SHARED_ACCOUNTS_MAX, accounts.size);
  const hours = (ms - (siblings[0]?.createdAtMs ?? ms)) / HOUR_MS;
  const frauds = fraudsOf(siblings).filter(
    ({ createdAtMs, fromMs, untilMs }) => createdAtMs < ms && fromMs <= ms && ms < untilMs,
  ).length;
  return party === 'device'
    ? { device_accounts_30d: seen, device_age_hours: hours, device_frauds: frauds }
    : { ip_accounts_24h: seen, ip_age_hours: hours, ip_frauds: frauds };
}

function makeTransactions(seed: string, count: number, stepMs: number, late: number) {
  const random = createRandom(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  return Array.from({ length: count }, (_, index) => {
    const lateness = below(10) === 0 ? below(late + 1) : 0;
    const atMs = BASE_MS + Math.floor((index - lateness + random()) * stepMs);
    const fields = {
      accountId: `acc_${below(index < count / 2 ? 5 : 90)}`,
      deviceId: 'phone',
      ip: IP,
    };
    // Frauds beyond what a profile keeps would be cut.
    return transactionAt(atMs, index, { ...fields, amount: String(1 + below(500)) });
  });
}

/** Most records of a list: cut by its length, or by its time with the newest record besides. */
const LONG = SHARED_LIST_ENTRIES;
const cut = (records: number) => Math.max(records, SHARED_LIST_ENTRIES_MIN) + DROPPED_MIN + 1;

test.each([
  ['a busy device, whose list is cut by its length', deviceKind, 4000, 20 / 60, 40, LONG],
  ['a device that outlives the window and its oldest times', deviceKind, 2500, 5, 4, LONG],
  ['a device whose transactions come late', deviceKind, 1500, 2, 340, LONG],
  ['a quiet device', deviceKind, 300, 30, 3, LONG],
  ['a past in any order', deviceKind, 400, 20, 400, LONG],
  ['a network with few transactions a day', addressKind, 1500, 1 / 6, 40, cut(3 * 144)],
  ['a network whose list is cut by its time', addressKind, 2400, 1 / 15, 350, cut(3 * 360)],
] as const)('%s', (seed, kind, count, hours, late, entriesMax) => {
  const known: Transaction[] = [];
  let profile: SharedProfile | undefined;
  let spans: FraudSpan[] = [];
  let [rebuilds, longest, times] = [0, 0, 0];
  for (const [index, arrived] of makeTransactions(seed, count, hours * HOUR_MS, late).entries()) {
    known.push(arrived);
    if (Number(arrived.amount) % 7 === 0) spans = fraudsOf(known);
    // A redelivery changes nothing, and sees what it saw.
    const again = index % 9 === 8 ? [arrived] : [];
    for (const point of [arrived, ...again]) {
      let row = profile && foldOne(kind, profile, point);
      if (profile === undefined || row === undefined) {
        rebuilds++;
        profile = kind.rebuild(pastOf(known, point));
        row = foldOne(kind, profile, point);
      }
      // The label of a fraud makes each profile anew, as its logs are dropped.
      profile = { ...profile, frauds: { spans, floorMs: Number.NEGATIVE_INFINITY } };
      // The plain rule reads all rows each time.
      if (index % 9 > 5)
        expect({ index, ...row }).toMatchObject({ index, ...plainly(kind, known, point) });
    }
    if (index % 50 === 0) {
      const log = encodeSnapshot(kind, profile as SharedProfile, STAMP);
      profile = readLog(kind, log, takeOwn)?.profile;
      expect(profile).toBeDefined();
    }
    longest = Math.max(longest, profile?.list.count ?? 0);
    times = Math.max(times, profile?.oldest.length ?? 0);
  }
  expect(longest).toBeLessThanOrEqual(entriesMax);
  expect(times).toBeLessThanOrEqual(SHARED_OLDEST);
  if (late < count) expect(rebuilds).toBeLessThan(count / 20);
});

test('accounts are counted among the newest transactions, of which a redelivery is not another', () => {
  const at = (second: number) =>
    transactionAt(BASE_MS + second * 1000, second, {
      accountId: second < 2 ? `early_${second}` : 'acc',
      deviceId: 'phone',
    });
  const profile = deviceKind.rebuild(pastOf([], at(0)));
  const accountsAt = (second: number) =>
    foldOne(deviceKind, profile, at(second))?.device_accounts_30d;
  for (let second = 0; second < SHARED_ENTRIES; second++) accountsAt(second);
  expect([accountsAt(SHARED_ENTRIES - 1), accountsAt(SHARED_ENTRIES - 1)]).toEqual([3, 3]);
  expect([accountsAt(SHARED_ENTRIES), accountsAt(SHARED_ENTRIES + 1)]).toEqual([3, 2]);
});

test('a list that was read from rows is cut as it is folded', () => {
  const rows = Array.from({ length: 1100 }, (_, index) =>
    transactionAt(BASE_MS + index * 10 * 60_000, index, { accountId: 'acc', ip: IP }),
  );
  const newest = rows.at(-1) as Transaction;
  const profile = addressKind.rebuild(pastOf(rows, newest));
  expect(profile.list.count).toBeGreaterThan(SHARED_ENTRIES);
  expect(foldOne(addressKind, profile, newest)).toMatchObject(plainly(addressKind, rows, newest));
  expect(profile.list.count).toBeLessThan(cut(3 * 144));
});
