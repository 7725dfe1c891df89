/** The margin of a stored score, measure by measure, as people read it. */
import { z } from 'zod';
import { featureMeaning, featureSentence } from '../factor-sentence.ts';
import { type Slot, type StoredTable, slotNames, textOfDay } from './day-table.ts';
import { partsBy } from './judge-by-table.ts';
import { DEFAULT_MEASURE, meaningOf } from './measures.ts';

export const marginSchema = z
  .object({
    day: z.iso.date().meta({ description: 'UTC day of the table, which judges from then on.' }),
    sha256: z.string().meta({ description: 'Of the bytes of the table, in hex.' }),
    margin: z.number().meta({ description: 'Log-odds of fraud: the base and all points.' }),
    base: z.number().meta({ description: 'The constant, and what the default rules add.' }),
    points: z
      .array(
        z.object({
          measure: z.string(),
          value: z.number().nullable().meta({ description: 'Null when it was missing.' }),
          points: z.number(),
          detail: z.string(),
        }),
      )
      .meta({
        description: 'Every measure; added to the base in this order, their sum is the margin.',
      }),
  })
  .meta({ id: 'MarginExplanation' });
export type MarginExplanation = z.infer<typeof marginSchema>;

/** @param atMs time of the transaction */
export function explainMargin(
  stored: StoredTable,
  vector: Float64Array,
  atMs: number,
): MarginExplanation {
  const { sha256, table } = stored;
  const { base, points, values } = partsBy(stored, vector);
  const margin = points.reduce((sum, own) => sum + own, base);
  return {
    day: textOfDay(table.day),
    sha256,
    margin,
    base,
    points: table.measures.map((measure, nth) => {
      const value = values[nth] as number;
      const added = points[nth] as number;
      return {
        measure,
        value: Number.isFinite(value) ? value : null,
        points: added,
        detail: `${sentenceOf(measure, value, atMs, table.slots)}: ${signed(added)}`,
      };
    }),
  };
}

const [MINUTE_FROM, MINUTE_TO] = [11, 16];
/** Surprise, in decades, above which an account seldom pays at an hour, and below which it often does. */
const [SELDOM, OFTEN] = [0.3, -0.3];

/** For example "at 03:10 UTC, an hour at which this account seldom pays". */
function sentenceOf(measure: string, value: number, atMs: number, slots: readonly Slot[]): string {
  if (measure === 'hour_surprise' && !Number.isNaN(value)) {
    const minute = new Date(atMs).toISOString().slice(MINUTE_FROM, MINUTE_TO);
    return `at ${minute} UTC, an hour at which this account ${habit(value)} pays`;
  }
  if (measure === DEFAULT_MEASURE) return `the default rules, log-odds ${signed(value)}`;
  return featureSentence(measure, measureMeaning(measure, slots), value);
}

/** @param slots of the table */
export function measureMeaning(measure: string, slots: readonly Slot[]): string {
  if (measure === DEFAULT_MEASURE) return 'Log-odds of fraud by the default rules';
  const slot = slots[slotNames(slots).indexOf(measure)];
  if (slot !== undefined) return SLOT_MEANINGS[slot.kind](slot.field);
  return meaningOf(measure) ?? featureMeaning(measure);
}

const habit = (surprise: number) =>
  surprise >= SELDOM ? 'seldom' : surprise <= OFTEN ? 'often' : 'sometimes';

const SLOT_MEANINGS: Readonly<Record<Slot['kind'], (field: string) => string>> = {
  lift: (field) => `Log of the rate of fraud of payments with this ${field} by the market's`,
  tail: (field) => `How rare a ${field} as great as this is, in decades`,
  to_account: (field) => `The ${field} divided by the account's usual one`,
};

const signed = (points: number) => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`;

const SLOT_UNITS = { lift: 'log', tail: 'decades', to_account: 'ratio' } as const;

/** A feature of a vector, as people read it. */
export type NamedFeature = {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
};

export function describeSlots(slots: readonly Slot[]): NamedFeature[] {
  const names = slotNames(slots);
  return slots.map(({ field, kind }, nth) => ({
    name: names[nth] as string,
    unit: SLOT_UNITS[kind],
    description: `${SLOT_MEANINGS[kind](field)}.`,
  }));
}
