/**
 * Folds a batch's transactions into the profiles of one kind, one party at a time. Parties whose profiles do not reach far
 * enough wait for rebuilds, which are requested all at once.
 */

import { naturalLog } from '../../kit/elementary-functions.ts';
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import { createFeatureRows, type FeatureRows, rowAt } from '../domain/feature-rows.ts';
import { FEATURE_COUNT, featureIndex } from '../domain/feature-schema.ts';
import type { Transaction } from '../domain/transaction.ts';
import { COUNTRY_BITS } from './account-profile.ts';
import type { Arrivals } from './arrivals.ts';
import type { TakeBytes } from './packed-list.ts';
import type { Profile, ProfileKind } from './profile.ts';

/** The part of a batch that concerns one kind of profile: transactions, with an arrival and a row each. */
export type KindBatch<P extends Profile, Past> = BegunRows & {
  readonly kind: ProfileKind<P, Past>;
  readonly transactions: readonly Transaction[];
};

/**
 * Yields one past a point, in their order, and none before it is requested: a past of a busy merchant is 1,024
 * rows.
 * @param numbers declared ones, which rows of accounts have
 */
export type LoadPasts<Past> = (
  points: readonly Transaction[],
  numbers?: readonly string[],
) => AsyncIterable<Past>;

/** A party whose profile is to be rebuilt, with the indices of its transactions that wait for it, in order of time. */
export type Waiting = { waiting: readonly number[] };

/** An account's record with 16 declared numbers has 112. */
const RECORD_BYTES_MAX = 112;
const record = new DataView(new ArrayBuffer(RECORD_BYTES_MAX));

const AMOUNT = featureIndex('amount');
const NIGHT_HOURS = 6;
const ROUND_UNITS = 100;
/** 1970-01-01 was a Thursday: 3 days after a Monday. */
const EPOCH_WEEKDAY = 3;

/** Transactions in columns, and a row for each, which the profiles of its parties complete. */
export type BegunRows = { readonly arrivals: Arrivals; readonly rows: FeatureRows };

/** As `merge` of the arrival's record. */
export function mergeArrival<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  profile: P,
  arrivals: Arrivals,
  arrival: number,
): boolean {
  kind.writeRecord(record, 0, arrivals, arrival);
  return kind.merge(profile, record, 0);
}

/**
 * Folds a party's transactions in order of time. Returns the indices from the first transaction on that its profile does not reach, as
 * later transactions would lack that one.
 */
export function foldParty<P extends Profile, Past>(
  { kind, arrivals, rows }: KindBatch<P, Past>,
  profile: P,
  indices: readonly number[],
): readonly number[] {
  const { values } = rows;
  const at = indices.findIndex(
    (index) => !kind.fold(profile, arrivals, index, values, rowAt(rows, index)),
  );
  return at === -1 ? [] : indices.slice(at);
}

/**
 * Folds what `foldParty` returned, for a profile without an end. The profile takes in transactions that came too late, so that it stays
 * right for later ones, and returns their indices, as they wait for a rebuild.
 */
export function foldBeside<P extends Profile, Past>(
  batch: KindBatch<P, Past>,
  profile: P,
  waiting: readonly number[],
): readonly number[] {
  const { kind, arrivals, rows } = batch;
  return waiting.filter((index) => {
    const isFolded = kind.fold(profile, arrivals, index, rows.values, rowAt(rows, index));
    if (!isFolded) mergeArrival(kind, profile, arrivals, index);
    return !isFolded;
  });
}

/** A rebuild that reaches fewer of its waiting transactions costs more than to have these transactions without a profile. */
const REACHED_MIN = 16;

/**
 * Rebuilds the profile of each party around its oldest waiting transaction and folds those that wait; repeats
 * where that does not reach all. Throws what `loadPasts` throws.
 * @param take gives each profile its memory
 * @param onFolded takes the profile of a party without waiting transactions
 * @param onUnreached may take a party whose waiting transactions lie too far apart for rebuilds; by default rebuilds reach all
 */
export async function rebuildParties<P extends Profile, Past, Party extends Waiting>(
  batch: KindBatch<P, Past> & { readonly loadPasts: LoadPasts<Past> },
  parties: readonly Party[],
  take: () => TakeBytes,
  onFolded: (party: Party, profile: P) => Promise<void> | undefined,
  onUnreached?: (party: Party) => boolean,
): Promise<void> {
  const { kind, loadPasts } = batch;
  for (let left = parties; left.length > 0; ) {
    const points = left.map(({ waiting }) => batch.transactions[waiting[0] ?? -1] as Transaction);
    const unfinished: Party[] = [];
    let next = 0;
    for await (const past of loadPasts(points, kind.numbers?.fields)) {
      const party = left[next++];
      if (party === undefined) throw new Error('more pasts than points');
      const profile = kind.rebuild(past, take());
      const before = party.waiting.length;
      // A rebuilt profile knows the whole batch as far as it reaches; what it reaches is folded first.
      party.waiting = foldParty(batch, profile, party.waiting);
      if (party.waiting.length === before) throw new Error('a rebuilt profile folds its own point');
      const isApart = before - party.waiting.length < REACHED_MIN;
      if (party.waiting.length > 0) {
        if (!isApart || !onUnreached?.(party)) unfinished.push(party);
      } else await onFolded(party, profile);
    }
    left = unfinished;
  }
}

/** Begins rows of features with those of the transaction itself. */
export function beginRows(arrivals: Arrivals, width: number = FEATURE_COUNT): BegunRows {
  const rows = createFeatureRows(arrivals.ms.length, width);
  for (let index = 0; index < rows.count; index++) {
    writeOwn(arrivals, index, rows.values, rowAt(rows, index) + AMOUNT);
  }
  return { arrivals, rows };
}

function writeOwn(arrivals: Arrivals, index: number, values: Float64Array, start: number): void {
  const ms = arrivals.ms[index] as number;
  const minor = arrivals.minor[index] as number;
  const unit = arrivals.unit[index] as number;
  const route = arrivals.route[index] as number;
  const country = route & COUNTRY_BITS;
  const destination = (route >>> 10) & COUNTRY_BITS;
  const source = route >>> 20;
  const day = Math.floor(ms / DAY_MS);
  const hour = Math.floor((ms - day * DAY_MS) / HOUR_MS);
  const weekday = (day + EPOCH_WEEKDAY) % 7;
  const amount = minor / unit;
  let at = start;
  values[at++] = amount;
  values[at++] = naturalLog(amount);
  values[at++] = minor / (arrivals.limit[index] as number);
  values[at++] = minor % (ROUND_UNITS * unit) === 0 ? 1 : 0;
  values[at++] = hour;
  values[at++] = weekday;
  values[at++] = weekday >= 5 ? 1 : 0;
  values[at++] = hour < NIGHT_HOURS ? 1 : 0;
  values[at++] = source === destination ? 0 : 1;
  values[at++] = country === 0 ? Number.NaN : Number(country !== source && country !== destination);
  values[at++] = arrivals.device[index] === 0 ? 1 : 0;
  values[at++] = country === 0 ? 1 : 0;
  values[at++] = arrivals.ip[index] === 1 ? 0 : 1;
}
