/** Features that compare a transaction with what the table of its day has counted of the market. */
import { rowAt } from '../domain/feature-rows.ts';
import { FEATURE_COUNT, featureIndex } from '../domain/feature-schema.ts';
import { type FieldSlot, metadataName, valuesIn } from '../domain/metadata.ts';
import type { Transaction } from '../domain/transaction.ts';
import { valueIn } from '../score/scorecard/day-counts.ts';
import { cellOf, tailBucket, tailOf } from '../score/scorecard/day-evidence.ts';
import type { DayTable } from '../score/scorecard/day-table.ts';
import { type Lifts, liftIn } from '../score/scorecard/lifts.ts';
import { type Numbers, numbersIn, numbersOf } from './account-numbers.ts';
import { arrivalsOf } from './arrivals.ts';
import { type BegunRows, beginRows } from './fold-batch.ts';

const AMOUNT_TO_CORRIDOR = featureIndex('amount_to_corridor');
const CELL_LIFT = featureIndex('cell_amount_lift');
const TYPE_LIFT = featureIndex('type_lift');
const CHANNEL_LIFT = featureIndex('channel_lift');
const TAIL_MAX = featureIndex('number_tail_max');

const NONE = {};

/** Parts of rows beside the transactions of a batch. */
export type DayParts = {
  /** The table that judges each transaction; null before the first one. */
  readonly tables: readonly (DayTable | null)[];
  /** Slots of the market, of which a table may know fewer. */
  readonly slots: readonly FieldSlot[];
};

/** Begins rows with what the transactions and the tables of their days give. */
export function beginDayRows(
  transactions: readonly Transaction[],
  { tables, slots }: DayParts,
  numbers: Numbers = numbersOf(slots),
): BegunRows {
  const arrivals = arrivalsOf(transactions, tables);
  const begun = beginRows(arrivals, FEATURE_COUNT + slots.length);
  const { values } = begun.rows;
  for (const [index, transaction] of transactions.entries()) {
    const table = tables[index];
    const given = transaction.declared === null ? NONE : valuesIn(transaction.declared);
    if (numbers.version !== 0) arrivals.numbers[index] = numbersIn(numbers, given);
    if (table) writeDay(transaction, given, table, slots, values, rowAt(begun.rows, index));
  }
  return begun;
}

/**
 * A logged vector as another table makes it. The hours and the numbers of the account stay, as no label moves them.
 * @param slots of the market
 */
export function relift(
  vector: Float64Array,
  transaction: Transaction,
  table: DayTable,
  slots: readonly FieldSlot[],
): Float64Array {
  const isOwn = (at: number) => slots[at - FEATURE_COUNT]?.kind === 'to_account';
  const values = Float64Array.from({ length: FEATURE_COUNT + slots.length }, (_, at) =>
    at < FEATURE_COUNT || isOwn(at) ? (vector[at] ?? Number.NaN) : Number.NaN,
  );
  values[CELL_LIFT] = Number.NaN;
  const given = transaction.declared === null ? NONE : valuesIn(transaction.declared);
  writeDay(transaction, given, table, slots, values, 0);
  return values;
}

function writeDay(
  { type, channel, corridor, amount, currency }: Transaction,
  given: ReturnType<typeof valuesIn>,
  table: DayTable,
  slots: readonly FieldSlot[],
  values: Float64Array,
  at: number,
): void {
  const group = table.group === 'type' ? type : given[fieldOf(table.group)];
  const { percentiles, rates } = table.amounts;
  const worth = valueIn(table.currency, { amount, currency }, rates);
  values[at + AMOUNT_TO_CORRIDOR] = worth / (percentiles.get(corridor) ?? Number.NaN);
  if (!Number.isNaN(worth)) {
    const cell = cellOf(typeof group === 'string' ? group : '', worth);
    values[at + CELL_LIFT] = liftIn(table.cells, cell);
  }
  values[at + TYPE_LIFT] = liftOf(table.lifts.get('type'), type);
  values[at + CHANNEL_LIFT] = liftOf(table.lifts.get('channel'), channel);
  values[at + TAIL_MAX] = writeSlots(given, table, slots, values, at + FEATURE_COUNT);
}

/** Returns the greatest tail; NaN without any. */
function writeSlots(
  given: ReturnType<typeof valuesIn>,
  table: DayTable,
  slots: readonly FieldSlot[],
  values: Float64Array,
  at: number,
): number {
  // A slot that is younger than the table has no counts in it, even where an older slot has its field.
  const known = Math.min(slots.length, table.slots.length);
  let tailMax = Number.NaN;
  for (let nth = 0; nth < known; nth++) {
    const { field, type: ofType, kind } = slots[nth] as FieldSlot;
    const value = given[field];
    if (value === undefined || (ofType === 'text' ? 'string' : ofType) !== typeof value) continue;
    if (kind === 'lift') {
      values[at + nth] = liftOf(table.lifts.get(metadataName(field)), String(value));
    } else if (kind === 'tail') {
      const tail = tailIn(table.tails.get(metadataName(field)), Number(value));
      values[at + nth] = tail;
      if (tail > tailMax || Number.isNaN(tailMax)) tailMax = tail;
    }
  }
  return tailMax;
}

const fieldOf = (name: string) => name.slice(metadataName('').length);

const liftOf = (lifts: Lifts | undefined, value: string | null) =>
  lifts === undefined ? Number.NaN : liftIn(lifts, value);

const tailIn = (tail: ReturnType<DayTable['tails']['get']>, value: number) =>
  tail === undefined ? Number.NaN : tailOf(tail.above[tailBucket(value)] as number, tail.numbers);
