/** Adds up the counts of the 90 days before a table, and what labels say of them. */
import { exponential } from '../../../kit/elementary-functions.ts';
import { metadataName } from '../../domain/metadata.ts';
import {
  AMOUNT_STEPS,
  addAccount,
  type DayCounts,
  type FieldCount,
  type Rates,
  type Reading,
  VALUES_MAX,
  valueIn,
  type valuesOf,
} from './day-counts.ts';
import { addTo, type Counted, hourShares, inMap, TAIL_BUCKETS } from './day-evidence.ts';
import type { DayTable, Tail } from './day-table.ts';
import { type Lifts, liftsOf, type ValueSum } from './lifts.ts';

/** Fewest amounts of a corridor with a high amount: of fewer, less than one lies above the 99.99th percentile. */
const AMOUNTS_MIN = 10_000;
const HIGH = 0.9999;
const HOURS = 24;
/** Fields of every payment. */
const FIXED_FIELDS = ['type', 'channel'];

export type As = 'frauds' | 'matured';
export type DaySums = ReturnType<typeof sumDays>;

export function sumDays() {
  const hours = new Float64Array(HOURS);
  const fields = new Map<string, ReturnType<typeof sumValues>>();
  const cells = sumValues();
  const numbers = new Map<string, Float64Array>();
  const amounts = new Map<string, number>();
  const market = { payments: 0, frauds: 0 };
  return {
    /** @param matured payments of the day that are matured: all or none */
    add(counts: DayCounts, matured: number): void {
      market.payments += matured;
      for (let hour = 0; hour < HOURS; hour++) addTo(hours, hour, counts.hours[hour] ?? 0);
      for (const [field, count] of counts.fields) {
        inMap(fields, field, sumValues).add(count, matured > 0);
      }
      cells.add(counts.cells, matured > 0);
      for (const [field, tail] of counts.numbers) {
        const sums = inMap(numbers, field, () => new Float64Array(TAIL_BUCKETS));
        tail.forEach((count, bucket) => void addTo(sums, bucket, count));
      }
      for (const [key, count] of counts.amounts) amounts.set(key, (amounts.get(key) ?? 0) + count);
    },
    /** A matured fraud of the days, or a matured payment of a day that is not matured. */
    addOne(as: As, values: ReturnType<typeof valuesOf>, cell: string | undefined): void {
      market[as === 'matured' ? 'payments' : as]++;
      for (const [field, value] of Object.entries(values)) {
        if (typeof value === 'string') inMap(fields, field, sumValues).addOne(as, value);
      }
      if (cell !== undefined) cells.addOne(as, cell);
    },
    /** @param rates as of the day of the table */
    end: (
      { fields: declared, currency }: Reading,
      rates: Rates,
    ): Pick<DayTable, 'hours' | 'lifts' | 'cells' | 'tails' | 'amounts'> => {
      const ofType = (isNumber: boolean) =>
        [...declared].flatMap(([name, type]) =>
          (type === 'number') === isNumber ? metadataName(name) : [],
        );
      const liftsOfField = (field: string) =>
        [field, inMap(fields, field, sumValues).end(market)] as const;
      return {
        hours: hourShares(hours),
        lifts: new Map([...FIXED_FIELDS, ...ofType(false)].map(liftsOfField)),
        cells: cells.end(market),
        tails: new Map(ofType(true).map((field) => [field, tailIn(numbers.get(field))])),
        amounts: { percentiles: highAmounts(amounts, currency, rates), rates },
      };
    },
  };
}

const noSum = (): ValueSum => ({ payments: 0, matured: 0, frauds: 0, accounts: [] });

function sumValues() {
  const byValue = new Map<string, ValueSum>();
  /** Values without a count of their own have no account, and so no name in a table. */
  const others = noSum();
  const find = (value: string): ValueSum => {
    const isFull = byValue.size >= VALUES_MAX && !byValue.has(value);
    return isFull ? others : inMap(byValue, value, noSum);
  };
  return {
    add(count: FieldCount, isMatured: boolean): void {
      for (const [value, { payments, accounts }] of count.byValue) {
        const sum = find(value);
        sum.payments += payments;
        if (isMatured) sum.matured += payments;
        if (sum === others) continue;
        for (const account of accounts) addAccount(sum.accounts, account);
      }
      if (isMatured) others.matured += count.others;
    },
    addOne(as: As, value: string): void {
      (byValue.get(value) ?? others)[as]++;
    },
    end: (market: Counted): Lifts => liftsOf(byValue, others, market),
  };
}

function tailIn(buckets: Float64Array = new Float64Array(TAIL_BUCKETS)): Tail {
  const above = new Uint32Array(TAIL_BUCKETS);
  let numbers = 0;
  for (let bucket = TAIL_BUCKETS - 1; bucket >= 0; bucket--) {
    numbers += buckets[bucket] as number;
    above[bucket] = numbers;
  }
  return { above, numbers };
}

/** The 99.99th percentile of a corridor's amounts. Each amount counts as the upper bound of its step; amounts without a rate are left out. */
function highAmounts(
  amounts: ReadonlyMap<string, number>,
  market: string | null,
  rates: Rates,
): DayTable['amounts']['percentiles'] {
  const byCorridor = new Map<string, { amount: number; count: number }[]>();
  for (const [key, count] of amounts) {
    const [corridor = '', currency = '', step] = key.split(' ');
    const own = exponential((Number(step) / AMOUNT_STEPS) * Math.LN10);
    const amount = valueIn(market, { amount: String(own), currency }, rates);
    if (!Number.isNaN(amount)) inMap(byCorridor, corridor, () => []).push({ amount, count });
  }
  const percentiles = new Map<string, number>();
  for (const [corridor, steps] of byCorridor) {
    const total = steps.reduce((sum, { count }) => sum + count, 0);
    if (total < AMOUNTS_MIN) continue;
    let rank = 0;
    const high = steps
      .sort((left, right) => left.amount - right.amount)
      .find(({ count }) => {
        rank += count;
        return rank >= HIGH * total;
      });
    if (high !== undefined) percentiles.set(corridor, high.amount);
  }
  return percentiles;
}
