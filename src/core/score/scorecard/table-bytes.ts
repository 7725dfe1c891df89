/** The bytes of a table of the day. Scores name a table by the hash of its bytes, so equal tables have equal bytes. */
import { createHash } from 'node:crypto';
import type { Counted } from './day-evidence.ts';
import type { DayTable, Golden, Learnt, Slot, Tail, Tops } from './day-table.ts';
import {
  decode,
  double,
  doubles,
  encode,
  type Form,
  floats,
  list,
  map,
  nullable,
  record,
  text,
  textSet,
  whole,
  wholes,
} from './forms.ts';
import type { Lifts } from './lifts.ts';
import type { Scorecard } from './scorecard.ts';
import type { Figures, Ranking, Week } from './weeks.ts';

/** First byte of a table. Each change of the form, the measures or the newest rules raises it: older versions judge by no such table. */
export const FORM = 1;

const lifts = record<Lifts>({ byValue: map(double), others: double });

const counted = record<Counted>({ payments: double, frauds: double });

const ranking = record<Ranking>({ averagePrecision: double, caught: whole });
const figures = {
  ...{ payments: whole, frauds: whole, alerts: whole },
  ...{ decided: ranking, scorecard: ranking, byRisk: whole },
};

const table: Form<DayTable> = record<DayTable>({
  day: whole,
  ruleSet: text,
  group: text,
  slots: list(record<Slot>({ field: text, kind: text as Form<Slot['kind']> })),
  measures: list(text),
  scorecard: record<Scorecard>({
    constant: double,
    slope: double,
    labelSlope: double,
    points: doubles,
    cuts: floats,
  }),
  learnt: record<Learnt>({
    knownFrauds: whole,
    payments: doubles,
    frauds: doubles,
    all: counted,
    rules: map(counted),
    labelled: doubles,
  }),
  leftOut: list(text),
  leftOutLabels: list(text),
  tops: record<Tops>({ scorecard: doubles, rules: map(doubles) }),
  golden: record<Golden>({ inputs: doubles, margins: doubles }),
  weeks: list(record<Week>({ day: whole, ...figures, policies: map(record<Figures>(figures)) })),
  hours: doubles,
  lifts: map(lifts),
  cells: lifts,
  tails: map(record<Tail>({ above: wholes, numbers: whole })),
  currency: nullable(text),
  amounts: record<DayTable['amounts']>({ percentiles: map(double), rates: map(double) }),
  crowded: record<DayTable['crowded']>({ devices: textSet, addresses: textSet }),
});

export const encodeTable = (value: DayTable): Uint8Array => encode(table, FORM, value);

/** @throws Damaged for bytes that no table has */
export const decodeTable = (bytes: Uint8Array): DayTable => decode(table, FORM, bytes);

/** Hex. */
export const hashTable = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
