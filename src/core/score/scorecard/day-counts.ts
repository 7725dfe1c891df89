/**
 * Counts of the payments of a day. Each day is counted alone and the counts are added up, so that a night reads one new day, in memory that
 * is bounded whatever values its payments have.
 */
import { DAY_MS, HOUR_MS } from '../../../kit/words/range.ts';
import { declaredOf, type MetadataFields, metadataName, valuesIn } from '../../domain/metadata.ts';
import { cellOf, steps, TAIL_BUCKETS, tailBucket } from './day-evidence.ts';
import { decode, encode, list, map, record, text, whole, wholes } from './forms.ts';
import { addRank, type Bins, type Judged, noRanks, type Ranks } from './weeks.ts';

/** A scored payment as a night reads it. */
export type DayPayment = Judged & {
  readonly createdAtMs: number;
  readonly accountId: string;
  readonly corridor: string;
  readonly amount: string;
  readonly currency: string;
  readonly type: string | null;
  readonly channel: string | null;
  readonly deviceId: string | null;
  readonly address: string | null;
  readonly metadata: unknown;
};

/** Settings of the market by which a payment is counted. */
export type Reading = {
  readonly group: string;
  /** Currency of the market. */
  readonly currency: string | null;
  /** Declared fields that are not personal. */
  readonly fields: MetadataFields;
};

/** Dollars a unit of a currency on a day, by currency. */
export type Rates = ReadonlyMap<string, number>;

export type ValueCount = {
  readonly payments: number;
  /** Hashes of at most ACCOUNTS_MAX accounts. */
  readonly accounts: Uint32Array;
};
export type FieldCount = {
  readonly byValue: ReadonlyMap<string, ValueCount>;
  /** Payments with values that are not counted by name. */
  readonly others: number;
};

export type DayCounts = {
  readonly hours: Uint32Array;
  readonly fields: ReadonlyMap<string, FieldCount>;
  readonly cells: FieldCount;
  /** By declared number: numbers in each bucket. */
  readonly numbers: ReadonlyMap<string, Uint32Array>;
  /** By corridor, currency and step of an amount: payments that were not declined. */
  readonly amounts: ReadonlyMap<string, number>;
  /** Parties that may have had more than CROWD_MIN accounts in 30 days. */
  readonly devices: readonly string[];
  readonly addresses: readonly string[];
  readonly ranks: Ranks;
};

const HOURS = 24;
/** Most distinct accounts that a value counts: as many as the value needs to be named in a table. */
export const ACCOUNTS_MAX = 10;
/** Most distinct values of a field while a day is counted. More: a field of ids takes more than 2 MB. */
export const VALUES_MAX = 20_000;
/** Most values of a field that a day stores. Fewer: a value that is common over 90 days may be too rare on each of them. */
const STORED_MAX = 2000;
/** Accounts of a device or an address, in 30 days, from which on it counts as absent. */
export const CROWD_MIN = 10_000;
/** A party with CROWD_MIN accounts in 30 days has at least one day with as many accounts as this. */
const CROWD_DAY = Math.ceil(CROWD_MIN / 30);
/** Steps of an amount a decade. */
export const AMOUNT_STEPS = 100;

/** Settings of a count as text; a day that was counted by other settings is counted again. */
export const readingText = ({ group, currency, fields }: Reading): string =>
  JSON.stringify([group, currency, [...fields].sort()]);

/** Texts and numbers of a payment: `type`, `channel`, and `metadata.` with the name of each declared field. */
export function valuesOf(
  { type, channel, metadata }: DayPayment,
  { fields }: Reading,
): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  const declared = fields.size === 0 ? null : declaredOf(metadata, fields);
  if (declared !== null) {
    for (const [field, value] of Object.entries(valuesIn(declared))) {
      values[metadataName(field)] = typeof value === 'boolean' ? String(value) : value;
    }
  }
  if (type !== null) values['type'] = type;
  if (channel !== null) values['channel'] = channel;
  return values;
}

/** An amount in the market's currency; NaN without a rate. */
export function valueIn(
  market: string | null,
  { amount, currency }: Pick<DayPayment, 'amount' | 'currency'>,
  rates: Rates,
): number {
  if (market === null) return Number.NaN;
  if (currency === market) return Number(amount);
  return (Number(amount) * (rates.get(currency) ?? Number.NaN)) / (rates.get(market) ?? Number.NaN);
}

/** The cell of a payment, which may lack the group; undefined without a rate. */
export function cellIn(
  payment: DayPayment,
  values: Readonly<Record<string, string | number>>,
  { group, currency }: Reading,
  rates: Rates,
): string | undefined {
  const [own, amount] = [values[group], valueIn(currency, payment, rates)];
  return Number.isNaN(amount) ? undefined : cellOf(typeof own === 'string' ? own : '', amount);
}

export type DayCounter = ReturnType<typeof countDay>;

/**
 * @param rates of the day
 * @param hashAccount 32 bits
 */
export function countDay(reading: Reading, rates: Rates, hashAccount: (id: string) => number) {
  const hours = new Uint32Array(HOURS);
  const fields = new Map<string, ReturnType<typeof countValues>>();
  const cells = countValues();
  const numbers = new Map<string, Uint32Array>();
  const amounts = new Map<string, number>();
  const devices = findCrowds(hashAccount);
  const addresses = findCrowds(hashAccount);
  const ranks = noRanks();
  return {
    add(payment: DayPayment): void {
      const account = hashAccount(payment.accountId);
      const hour = Math.floor((payment.createdAtMs % DAY_MS) / HOUR_MS);
      hours[hour] = (hours[hour] as number) + 1;
      const values = valuesOf(payment, reading);
      for (const [field, value] of Object.entries(values)) {
        if (typeof value === 'string') inMap(fields, field, countValues).add(value, account);
        else addNumber(inMap(numbers, field, newTail), value);
      }
      const cell = cellIn(payment, values, reading, rates);
      if (cell !== undefined) cells.add(cell, account);
      if (payment.verdict !== 'decline') {
        const step = steps(AMOUNT_STEPS, Number(payment.amount), Math.ceil);
        const key = `${payment.corridor} ${payment.currency} ${step}`;
        amounts.set(key, (amounts.get(key) ?? 0) + 1);
      }
      devices.add(payment.deviceId);
      addresses.add(payment.address);
      addRank(ranks, payment);
    },
    end: (): DayCounts => ({
      hours,
      fields: new Map([...fields].map(([field, values]) => [field, values.end()])),
      cells: cells.end(),
      numbers,
      amounts,
      devices: devices.end(),
      addresses: addresses.end(),
      ranks,
    }),
  };
}

export function inMap<Key, Value>(values: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  values.set(key, made);
  return made;
}

const newTail = () => new Uint32Array(TAIL_BUCKETS);

function addNumber(tail: Uint32Array, value: number): void {
  const bucket = tailBucket(value);
  tail[bucket] = (tail[bucket] as number) + 1;
}

function countValues() {
  const byValue = new Map<string, { payments: number; accounts: number[] }>();
  let others = 0;
  const find = (value: string) => {
    const known = byValue.get(value);
    if (known !== undefined || byValue.size >= VALUES_MAX) return known;
    const made = { payments: 0, accounts: [] };
    byValue.set(value, made);
    return made;
  };
  return {
    add(value: string, account: number): void {
      const count = find(value);
      if (count === undefined) {
        others++;
        return;
      }
      count.payments++;
      const { accounts } = count;
      if (accounts.length < ACCOUNTS_MAX && !accounts.includes(account)) accounts.push(account);
    },
    /** The values with most payments, all others together. */
    end(): FieldCount {
      const sorted = [...byValue].sort(
        ([left, { payments: less }], [right, { payments: more }]) =>
          more - less || (left < right ? -1 : 1),
      );
      const stored = sorted.slice(0, STORED_MAX);
      for (const [, { payments }] of sorted.slice(STORED_MAX)) others += payments;
      return {
        byValue: new Map(
          stored.map(([value, { payments, accounts }]) => [
            value,
            { payments, accounts: Uint32Array.from(accounts) },
          ]),
        ),
        others,
      };
    },
  };
}

/** Fewer: more parties share a counter, and more parties are counted exactly for nothing. */
const COUNTERS = 1 << 20;

/** Finds parties with many payments, and a few that share a counter with them. */
function findCrowds(hash: (party: string) => number) {
  const counters = new Uint16Array(COUNTERS);
  const crowds = new Set<string>();
  return {
    add(party: string | null): void {
      if (party === null) return;
      const at = hash(party) % COUNTERS;
      const payments = Math.min((counters[at] as number) + 1, CROWD_DAY);
      counters[at] = payments;
      if (payments === CROWD_DAY && crowds.size < VALUES_MAX) crowds.add(party);
    },
    end: () => [...crowds].sort(),
  };
}

const VERSION = 1;
const fieldCount = record<FieldCount>({
  byValue: map(record<ValueCount>({ payments: whole, accounts: wholes })),
  others: whole,
});
const dayCounts = record<DayCounts>({
  hours: wholes,
  fields: map(fieldCount),
  cells: fieldCount,
  numbers: map(wholes),
  amounts: map(whole),
  devices: list(text),
  addresses: list(text),
  ranks: map(record<Bins>({ alerts: whole, margins: wholes, risks: wholes })),
});

export const encodeCounts = (counts: DayCounts): Uint8Array => encode(dayCounts, VERSION, counts);
export const decodeCounts = (bytes: Uint8Array): DayCounts => decode(dayCounts, VERSION, bytes);
