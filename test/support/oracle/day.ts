/** Features that the table of the day gives a transaction, in the order of feature-schema.ts, then the slots. */
import type { FieldSlot } from '../../../src/core/domain/metadata.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import type { DayTable } from '../../../src/core/score/scorecard/day-table.ts';
import { naturalLog } from '../../../src/kit/elementary-functions.ts';
import type { AccountHistory } from './histories.ts';

const log10 = (value: number) => naturalLog(value) / naturalLog(10);

/** The greatest step whose power is not above a value; amounts and numbers lie within these steps. */
function stepOf(value: number, aDecade: number): number {
  let step = -6 * aDecade;
  while (step < 20 * aDecade && 10 ** ((step + 1) / aDecade) <= value) step++;
  return step;
}

export function hourSurprise(
  { createdAtMs }: Transaction,
  { siblings, aroundHour }: AccountHistory,
  table: DayTable | null,
): number {
  const hour = new Date(createdAtMs).getUTCHours();
  const share = (at: number) => (table === null ? 1 / 24 : (table.hours[(at + 24) % 24] ?? 0));
  const market = share(hour) / 2 + share(hour - 1) / 4 + share(hour + 1) / 4;
  return -log10((24 * (aroundHour + 12 * market)) / (siblings + 12));
}

/** @param amount in units of its currency */
export const amountToCorridor = (
  { corridor, currency }: Transaction,
  amount: number,
  table: DayTable | null,
): number =>
  worthOf(amount, currency, table) / (table?.amounts.percentiles.get(corridor) ?? Number.NaN);

/** In the currency of the market. */
function worthOf(amount: number, currency: string, table: DayTable | null): number {
  const usd = (code: string | null | undefined) =>
    table?.amounts.rates.get(code ?? '') ?? Number.NaN;
  return (amount * usd(currency)) / usd(table?.currency);
}

/** @param amount in units of its currency */
export function dayFeatures(
  { type, channel, currency, declared }: Transaction,
  amount: number,
  table: DayTable | null,
  slots: readonly FieldSlot[],
  /** The features of devices and addresses, which stand in between. */
  shared: readonly number[],
  { distanceMedian }: Pick<AccountHistory, 'distanceMedian'>,
): readonly number[] {
  const fields: Readonly<Record<string, unknown>> = JSON.parse(declared ?? '{}');
  const lift = (field: string, value: unknown) => {
    const lifts = table?.lifts.get(field);
    return value === null || value === undefined || lifts === undefined
      ? Number.NaN
      : (lifts.byValue.get(String(value)) ?? lifts.others);
  };
  const tail = (field: string, value: unknown) => {
    const counted = table?.tails.get(field);
    if (typeof value !== 'number' || counted === undefined) return Number.NaN;
    const above = counted.above[Math.min(stepOf(1 + Math.max(0, value), 50), 1023)] ?? 0;
    return -log10((above + 0.5) / (counted.numbers + 1));
  };
  const worth = worthOf(amount, currency, table);
  const group =
    table?.group === 'type' ? type : fields[(table?.group ?? '').slice('metadata.'.length)];
  const cell = `${stepOf(worth, 10)} ${typeof group === 'string' ? group : ''}`;
  const numbers = new Set(slots.flatMap(({ field, kind }) => (kind === 'tail' ? field : [])));
  const tails = [...numbers].map((field) => tail(`metadata.${field}`, fields[field]));
  const hasCell = table !== null && !Number.isNaN(worth);
  return [
    hasCell ? (table.cells.byValue.get(cell) ?? table.cells.others) : Number.NaN,
    lift('type', type),
    lift('channel', channel),
    ...shared,
    tails.filter((of) => !Number.isNaN(of)).sort((one, other) => other - one)[0] ?? Number.NaN,
    ...slots.map(({ field, kind }) => {
      if (kind === 'to_account')
        return Number(fields[field] ?? NaN) / Math.max(distanceMedian, 0.1);
      const named = `metadata.${field}`;
      return kind === 'lift' ? lift(named, fields[field]) : tail(named, fields[field]);
    }),
  ];
}
