/**
 * A table of the day: what a market has counted and learnt before 00:00 UTC of a day. The features that compare a transaction with
 * its market, and the margin, are functions of the vector's other features, the transaction and this table alone.
 */
import { DAY_MS } from '../../../kit/words/range.ts';
import { type FieldSlot, metadataName } from '../../domain/metadata.ts';
import type { Rates } from './day-counts.ts';
import type { Counted } from './day-evidence.ts';
import type { Lifts } from './lifts.ts';
import type { Scorecard } from './scorecard.ts';
import type { Week } from './weeks.ts';

/** A feature of a declared field; its number follows the fixed features of the vector. */
export type Slot = Pick<FieldSlot, 'field' | 'kind'>;

/** Measures of slots; a field that was declared with two types has a slot for each type. */
export function slotNames(slots: readonly Slot[]): string[] {
  const names: string[] = [];
  for (const { field, kind } of slots) {
    const name = `${metadataName(field)}_${kind}`;
    names.push(names.includes(name) ? `${name}_2` : name);
  }
  return names;
}

/** Whether a market may have a slot of the name. */
export const isSlotName = (name: string) =>
  /^metadata\.\w+_(lift|tail|to_account)(_2)?$/.test(name);

/** How many numbers a declared field had in the 90 days, and how many were great. */
export type Tail = {
  /** By bucket, TAIL_BUCKETS of them: how many numbers lie in the bucket or above. */
  readonly above: Uint32Array;
  readonly numbers: number;
};

/** Rows from which the weights were learnt, by what they stand for. */
export type Learnt = {
  /** Matured frauds of the 180 days before. */
  readonly knownFrauds: number;
  /** Payments for which the rows in each bucket of each measure stand, frauds among them. */
  readonly payments: Float64Array;
  readonly frauds: Float64Array;
  /** All payments for which the rows stand. */
  readonly all: Counted;
  /** By reason code of the built-in rules: payments on which the rule fired. */
  readonly rules: ReadonlyMap<string, Counted>;
  /** Frauds of 90 days before the last 30, by days until the first fraud label: a count for each of LABEL_DAYS, and for later labels. */
  readonly labelled: Float64Array;
};

/**
 * Thresholds that at most a share of the newest payments reach (`daysOfTops`), for the shares 0.001, 0.002 and so on. Too few payments have
 * none.
 */
export type Tops = {
  /** By the probabilities of the scorecard. */
  readonly scorecard: Float64Array;
  /** By name of a rule set without its changes, of the points of the rules alone. */
  readonly rules: ReadonlyMap<string, Float64Array>;
  /** By name of a model, of the stored risks by which the model decided. */
  readonly models: ReadonlyMap<string, Float64Array>;
};

/** Random vectors, concatenated, and their margins, by which a process proves that it reads the table as the night did. */
export type Golden = { readonly inputs: Float64Array; readonly margins: Float64Array };

/** Days after a payment within which a label has come. */
export const LABEL_DAYS = [1, 3, 7, 14, 30] as const;

/** The group of a market that names none. */
export const TYPE_GROUP = 'type';

export type DayTable = {
  /** First UTC day that the table judges, in days since 1970. */
  readonly day: number;
  /** Id of the built-in rule set whose log-odds are a measure. */
  readonly ruleSet: string;
  /** Text field of a cell: `type`, or `metadata.` and a declared one. */
  readonly group: string;
  /** Slots of the vector at that time; slots are only ever added, so a later vector has more. */
  readonly slots: readonly Slot[];
  /** Names of the measures, in the order of the scorecard's cuts and points. */
  readonly measures: readonly string[];
  readonly scorecard: Scorecard;
  readonly learnt: Learnt;
  /** Measures that a policy leaves out, which add no points. */
  readonly leftOut: readonly string[];
  /** Labels that took no part, by the controls that left them out. */
  readonly leftOutLabels: readonly string[];
  readonly tops: Tops;
  readonly golden: Golden;
  /** Matured weeks that earlier tables have judged. */
  readonly weeks: readonly Week[];
  /** Shares of payments by UTC hour, 24 of them. */
  readonly hours: Float64Array;
  /** By field: `type`, `channel`, and `metadata.` with each declared text or boolean that is not personal. */
  readonly lifts: ReadonlyMap<string, Lifts>;
  /** By the group's value and the amount in the market's currency, as `cellOf` writes both. */
  readonly cells: Lifts;
  /** By `metadata.` with each declared number. */
  readonly tails: ReadonlyMap<string, Tail>;
  /** Currency of the market; null until a review policy names one. */
  readonly currency: string | null;
  /** As of the day. */
  readonly amounts: {
    /** By corridor, in the market's currency: the 99.99th percentile of the 90 days. */
    readonly percentiles: ReadonlyMap<string, number>;
    readonly rates: Rates;
  };
  /** Devices and addresses that count as absent, as too many accounts share them. */
  readonly crowded: Readonly<Record<'device' | 'address', ReadonlySet<string>>>;
};

/** @param day since 1970 */
export const textOfDay = (day: number): string =>
  new Date(day * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);

/** A table as a market has stored it. */
export type StoredTable = {
  /** Names the table in scores. */
  readonly serial: number;
  /** Hex, of the bytes. */
  readonly sha256: string;
  readonly table: DayTable;
};
