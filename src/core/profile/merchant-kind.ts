/**
 * Merchants as a kind of profile: the fold of one transaction into its merchant's list and tallies, and the stored form:
 * horizon (24 bytes), ceiling (24), known-from (8), counted-to (8), number of tallies (4), number of frauds (4), maturity of
 * labels in days (4), 4 zero bytes, tallies (24 each), frauds (known-frauds.ts), records (32 each).
 */
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../kit/words/range.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import {
  LABEL_MATURITY_DAYS,
  MERCHANT_DISTINCT_ENTRIES,
  MERCHANT_HISTORY_DAYS,
  type MerchantPast,
} from '../domain/history.ts';
import { type TakeBytes, takeOwn } from './arena.ts';
import { type Arrivals, keyOfArrival } from './arrivals.ts';
import { fraudsBytes, knowsFrauds, readFrauds, writeFrauds } from './known-frauds.ts';
import { writeMerchantFrauds } from './merchant-frauds.ts';
import {
  boundMerchant,
  insertMerchantRecord,
  MERCHANT_RECORD_BYTES,
  type MerchantProfile,
  rebuildMerchant,
  writeMerchantRecord,
} from './merchant-profile.ts';
import {
  countAccounts,
  countMatured,
  FROM_1H,
  FROM_7D,
  FROM_24H,
  FROM_30D,
  findWindows,
  MATURED_7D,
  MATURED_24H,
  MATURED_30D,
  olderThan,
  startsOf,
  sumListed,
} from './merchant-windows.ts';
import {
  adoptList,
  BOUND_BYTES,
  compareKeys,
  countBefore,
  createList,
  hasAt,
  insertPacked,
  readBound,
  readKey,
  timeAt,
  writeBound,
} from './packed-list.ts';
import { type ProfileKind, type ProfileLayout, viewFrom } from './profile.ts';
import { AT_THE_END, countTallied, NO_TALLIES, sumTallied, TALLY_BYTES } from './tallies.ts';

type MerchantKind = ProfileKind<MerchantProfile, MerchantPast>;

const COUNTS = featureIndex('merchant_count_1h');
const LABELS = featureIndex('merchant_gap_hours');
/** Hours of the 30 days without the last 24. */
const USUAL_HOURS = 29 * 24;

/** @param maturityDays after which the labels of a transaction count as complete */
export function createMerchantKind(maturityDays: number): MerchantKind {
  return {
    party: 'merchant',
    recordBytes: MERCHANT_RECORD_BYTES,
    hasTallies: true,
    layout: merchantLayout,
    partyOf: (transaction) => transaction.merchantId,
    writeRecord: writeMerchantRecord,
    decode: (view, length, take) => decodeMerchant(view, length, take, maturityDays),
    rebuild: (past, take = takeOwn) => rebuildMerchant(past, take, maturityDays),
    fold,
    merge,
  };
}

/**
 * False where a tally may or may not count it, as tallies hold no ids. A transaction older than all tallies
 * counts nowhere.
 */
function merge(profile: MerchantProfile, records: DataView, at: number): boolean {
  const { list, horizon, ceiling, knownFromMs } = profile;
  const key = readKey(records, at, MERCHANT_RECORD_BYTES);
  if (compareKeys(key, horizon) <= 0) return hourOf(key.ms) < knownFromMs;
  if (compareKeys(key, ceiling) > 0) return true;
  insertPacked(list, key, records, at);
  boundMerchant(profile);
  return true;
}

/**
 * Exact after the horizon and up to the ceiling. A transaction at or before the horizon may or may not be in a
 * tally, which holds no ids.
 */
function fold(
  profile: MerchantProfile,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): boolean {
  const key = keyOfArrival(arrivals, arrival);
  const { list, horizon, ceiling } = profile;
  if (compareKeys(key, ceiling) > 0 || compareKeys(key, horizon) <= 0) return false;
  const index = countBefore(list, key);
  if (!isComplete(profile, index, key.ms)) return false;
  writeMerchant(profile, index, NO_HOUR, arrivals, arrival, values, rowAt);
  if (!hasAt(list, index, key)) {
    insertMerchantRecord(profile, index, arrivals, arrival);
    boundMerchant(profile);
  }
  return true;
}

function isComplete(profile: MerchantProfile, index: number, ms: number): boolean {
  const { knownFromMs, horizon, frauds, maturityDays } = profile;
  const sinceMs = seenFromMs(ms, maturityDays);
  if (sinceMs < knownFromMs) return false;
  if (frauds.spans.length > 0 && !knowsFrauds(frauds, ms, sinceMs)) return false;
  if (index >= MERCHANT_DISTINCT_ENTRIES) return true;
  // The newest sibling is in the list, or there is none: tallies have no times.
  return horizon.ms < hourOf(ms) && (index > 0 || horizon.ms < sinceMs);
}

const FORMAT = 0x77;
const KNOWN_FROM_AT = 2 * BOUND_BYTES;
const COUNTED_TO_AT = KNOWN_FROM_AT + 8;
const TALLIES_AT = COUNTED_TO_AT + 8;
const FRAUDS_AT = TALLIES_AT + 4;
const MATURITY_AT = FRAUDS_AT + 4;
const TALLIES_OFFSET = MATURITY_AT + 8;

/** Undefined also for a profile with another maturity of labels, whose tallies have other hours. */
function decodeMerchant(
  view: DataView<ArrayBuffer>,
  length: number,
  take: TakeBytes,
  maturityDays: number,
): MerchantProfile | undefined {
  if (length < TALLIES_OFFSET) return undefined;
  if (view.getUint32(MATURITY_AT, true) !== maturityDays) return undefined;
  const tallies = view.getUint32(TALLIES_AT, true);
  const frauds = view.getUint32(FRAUDS_AT, true);
  const fraudsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
  const recordsOffset = fraudsOffset + fraudsBytes(frauds);
  if (length < recordsOffset) return undefined;
  const records = viewFrom(view, recordsOffset);
  const list = adoptList(MERCHANT_RECORD_BYTES, length - recordsOffset, records, take);
  if (list === undefined) return undefined;
  return {
    horizon: readBound(view, 0),
    ceiling: readBound(view, BOUND_BYTES),
    knownFromMs: view.getFloat64(KNOWN_FROM_AT, true),
    countedTo: view.getFloat64(COUNTED_TO_AT, true),
    maturityDays,
    tallies:
      tallies === 0 ? NO_TALLIES : { packed: viewFrom(view, TALLIES_OFFSET), length: tallies },
    frauds: readFrauds(view, fraudsOffset, frauds),
    list,
  };
}

const merchantLayout: ProfileLayout<MerchantProfile> = {
  format: FORMAT,
  prefixBytes: ({ tallies, frauds }) =>
    TALLIES_OFFSET + tallies.length * TALLY_BYTES + fraudsBytes(frauds.spans.length),
  writePrefix(profile, view) {
    const { tallies, frauds, horizon, ceiling, knownFromMs, countedTo, maturityDays } = profile;
    writeBound(view, 0, horizon);
    writeBound(view, BOUND_BYTES, ceiling);
    view.setFloat64(KNOWN_FROM_AT, knownFromMs, true);
    view.setFloat64(COUNTED_TO_AT, countedTo, true);
    view.setUint32(TALLIES_AT, tallies.length, true);
    view.setUint32(FRAUDS_AT, frauds.spans.length, true);
    view.setUint32(MATURITY_AT, maturityDays, true);
    view.setUint32(MATURITY_AT + 4, 0, true);
    const { buffer, byteOffset } = tallies.packed;
    const tallied = new Uint8Array(buffer, byteOffset, tallies.length * TALLY_BYTES);
    new Uint8Array(view.buffer, view.byteOffset + TALLIES_OFFSET, tallied.length).set(tallied);
    writeFrauds(view, TALLIES_OFFSET + tallied.length, frauds);
  },
};

export const merchantKind: MerchantKind = createMerchantKind(LABEL_MATURITY_DAYS);

/**
 * Writes the features that a merchant's siblings give one of its transactions into the transaction's row.
 * Start of the siblings that a transaction uses.
 */
export function seenFromMs(ms: number, maturityDays: number): number {
  return dayOf(ms) - (maturityDays + MERCHANT_HISTORY_DAYS) * DAY_MS;
}

/** What the siblings of an arrival's own hour sum up to, where its profile has neither list nor tallies of that hour. */
export type OwnHour = {
  /** Tallies count up to here: the beginning of the hour. */
  readonly untilMs: number;
  readonly count: number;
  /** Of the arrival's currency, in minor units. */
  readonly amounts: number;
  readonly sum: number;
  /** Distinct accounts among the newest MERCHANT_DISTINCT_ENTRIES. */
  readonly accounts: number;
  /** Of the newest sibling seen, in this hour or before; NaN without a sibling. */
  readonly newestMs: number;
};

/** The list, and tallies up to their end, have every sibling. */
const NO_HOUR: OwnHour = {
  ...{ untilMs: AT_THE_END, count: 0, amounts: 0, sum: 0, accounts: 0 },
  newestMs: Number.NaN,
};

/** Siblings by the hour, before the arrival and after it. */
export type MerchantHours = Pick<MerchantProfile, 'tallies' | 'frauds' | 'maturityDays'>;

const NO_LIST = createList(MERCHANT_RECORD_BYTES, 1, takeOwn);

/** As `fold` of a profile that has every sibling, and changes nothing. */
export function writeLate(
  hours: MerchantHours,
  ownHour: OwnHour,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): void {
  writeMerchant({ ...hours, list: NO_LIST }, 0, ownHour, arrivals, arrival, values, rowAt);
}

type Siblings = MerchantHours & Pick<MerchantProfile, 'list'>;

/**
 * @param end the arrival's siblings are the tallied ones, those of its own hour and the first `end` of the list
 * @param rowAt where the arrival's row begins in `values`
 */
function writeMerchant(
  profile: Siblings,
  end: number,
  ownHour: OwnHour,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): void {
  const { list, tallies, maturityDays, frauds } = profile;
  const ms = arrivals.ms[arrival] as number;
  findWindows(list, tallies, ms, maturityDays);
  writeCounts(profile, end, ownHour, arrivals, arrival, values, rowAt + COUNTS);
  let at = rowAt + LABELS;
  const newestMs = end === 0 ? ownHour.newestMs : timeAt(list, end - 1);
  values[at++] = newestMs >= seenFromMs(ms, maturityDays) ? (ms - newestMs) / HOUR_MS : Number.NaN;
  values[at++] = countMatured(MATURED_24H);
  values[at++] = countMatured(MATURED_7D);
  values[at++] = countMatured(MATURED_30D);
  if (frauds.spans.length > 0) writeMerchantFrauds(profile, ms, values, at);
  else writeNoFrauds(values, at);
}

function writeCounts(
  { list, tallies }: Siblings,
  end: number,
  ownHour: OwnHour,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  start: number,
): void {
  const { untilMs } = ownHour;
  const currency = arrivals.currency[arrival] as number;
  const minor = arrivals.minor[arrival] as number;
  const siblings = end + countTallied(tallies, untilMs) + ownHour.count;
  const count24h = siblings - (olderThan[FROM_24H] as number);
  const count30d = siblings - (olderThan[FROM_30D] as number);
  const start1h = startsOf[FROM_1H] as number;
  const listed = sumListed(list, startsOf[FROM_30D] as number, end, currency);
  const from30dMs = dayOf(arrivals.ms[arrival] as number) - 29 * DAY_MS;
  const tallied = sumTallied(tallies, from30dMs, untilMs, currency);
  const amounts = listed.count + tallied.count + ownHour.amounts;
  const sum = listed.sum + tallied.sum + ownHour.sum;
  const mean = amounts === 0 ? Number.NaN : sum / amounts;
  let at = start;
  values[at++] = siblings - (olderThan[FROM_1H] as number);
  values[at++] = count24h;
  values[at++] = siblings - (olderThan[FROM_7D] as number);
  values[at++] = count30d;
  values[at++] = (count30d - count24h) / USUAL_HOURS;
  values[at++] = amounts;
  values[at++] = mean / (arrivals.unit[arrival] as number);
  values[at++] = minor / mean;
  const newest = Math.max(start1h, end - MERCHANT_DISTINCT_ENTRIES);
  values[at++] = ownHour.accounts + countAccounts(list, newest, end);
}

/** Without frauds, rates and counts are 0 and features of runs are missing. */
function writeNoFrauds(values: Float64Array, start: number): void {
  for (let at = start; at < start + 6; at++) values[at] = 0;
  for (let at = start + 6; at < start + 9; at++) values[at] = Number.NaN;
}
