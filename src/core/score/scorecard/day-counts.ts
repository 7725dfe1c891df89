/**
 * Counts of the payments of a day. Each day is counted alone and the counts are added up, so that a night reads one new day, in memory that
 * is bounded whatever values its payments have.
 */
import { DAY_MS, HOUR_MS } from '../../../kit/words/range.ts';
import { declaredOf, type MetadataFields, metadataName, valuesIn } from '../../domain/metadata.ts';
import { addTo, cellOf, inMap, steps, TAIL_BUCKETS, tailBucket } from './day-evidence.ts';
import { decode, encode } from './value-bytes.ts';
import { addRank, type Judged, noRanks, type Ranks } from './weeks.ts';

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
  payments: number;
  /** Hashes of at most ACCOUNTS_MAX accounts. */
  readonly accounts: number[];
};
export type FieldCount = {
  readonly byValue: ReadonlyMap<string, Readonly<ValueCount>>;
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
  readonly crowds: Readonly<Record<'device' | 'address', readonly string[]>>;
  readonly ranks: Ranks;
};

const HOURS = 24;
/** Most distinct accounts that a value counts: as many as the value needs to be named in a table. */
const ACCOUNTS_MAX = 10;
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
  const [devices, addresses] = [findCrowds(hashAccount), findCrowds(hashAccount)];
  const ranks = noRanks();
  return {
    add(payment: DayPayment): void {
      const account = hashAccount(payment.accountId);
      addTo(hours, Math.floor((payment.createdAtMs % DAY_MS) / HOUR_MS), 1);
      const values = valuesOf(payment, reading);
      for (const [field, value] of Object.entries(values)) {
        if (typeof value === 'string') inMap(fields, field, countValues).add(value, account);
        else addTo(inMap(numbers, field, newTail), tailBucket(value), 1);
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
      crowds: { device: devices.end(), address: addresses.end() },
      ranks,
    }),
  };
}

const newTail = () => new Uint32Array(TAIL_BUCKETS);

function countValues() {
  const byValue = new Map<string, ValueCount>();
  let others = 0;
  return {
    add(value: string, account: number): void {
      if (byValue.size >= VALUES_MAX && !byValue.has(value)) {
        others++;
        return;
      }
      const count = inMap(byValue, value, noValue);
      count.payments++;
      addAccount(count.accounts, account);
    },
    /** The values with most payments, all others together. */
    end(): FieldCount {
      const sorted = [...byValue].sort(
        ([left, { payments: less }], [right, { payments: more }]) =>
          more - less || (left < right ? -1 : 1),
      );
      for (const [, { payments }] of sorted.slice(STORED_MAX)) others += payments;
      return { byValue: new Map(sorted.slice(0, STORED_MAX)), others };
    },
  };
}

const noValue = (): ValueCount => ({ payments: 0, accounts: [] });

export function addAccount(accounts: number[], account: number): void {
  if (accounts.length < ACCOUNTS_MAX && !accounts.includes(account)) accounts.push(account);
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
export const encodeCounts = (counts: DayCounts): Uint8Array => encode(VERSION, counts);
export const decodeCounts = (bytes: Uint8Array): DayCounts => decode<DayCounts>(VERSION, bytes);
