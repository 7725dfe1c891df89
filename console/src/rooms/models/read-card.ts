/** Reads what a model's card holds. A card is free-form JSON, as it may come from elsewhere: what is missing or of another kind is left out. */
import type { ModelDetail } from '../../../../src/kit/client/api-types.ts';

type Fields = Readonly<Record<string, unknown>>;

export type Figure = {
  readonly name: string;
  readonly value: number;
  /** 95 %. */
  readonly low: number;
  readonly high: number;
};
export type CalibrationRow = {
  readonly rows: number;
  readonly promised: number;
  readonly seen: number;
};
export type Importance = { readonly name: string; readonly share: number };
export type Segment = {
  readonly segment: string;
  readonly rows: number;
  readonly frauds: number;
  readonly flagged: number;
  readonly falseAlarms: number | null;
  readonly caught: number | null;
};
/** Shares below each cut, of the training. */
export type Distribution = readonly (readonly [cut: number, below: number])[];

export type Card = {
  readonly figures: readonly Figure[];
  readonly calibration: readonly CalibrationRow[];
  readonly importance: readonly Importance[];
  readonly corridors: readonly Segment[];
  /** Transactions from the bound of review on, and frauds among them. */
  readonly atReview: { readonly flagged: number; readonly frauds: number } | undefined;
  readonly probability: Distribution;
  readonly bands: { readonly review: number; readonly decline: number } | undefined;
  readonly validation:
    | { readonly from: string; readonly to: string; readonly rows: number }
    | undefined;
};

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.filter(isFields) : [];
const numbersOf = (value: unknown): readonly number[] =>
  Array.isArray(value) ? value.filter(isNumber) : [];

export function readCard(card: ModelDetail['card']): Card {
  const { figures, calibrationTable, importance, segments, reference, bands, validation } =
    fieldsOf(card);
  const corridors = listOf(fieldsOf(segments)['corridor']).flatMap(readSegment);
  return {
    figures: Object.entries(fieldsOf(figures)).flatMap(([name, of]) => readFigure(name, of)),
    calibration: listOf(calibrationTable).flatMap(({ rows, promised, seen }) =>
      isNumber(rows) && isNumber(promised) && isNumber(seen) ? [{ rows, promised, seen }] : [],
    ),
    importance: listOf(importance).flatMap(({ name, share }) =>
      isText(name) && isNumber(share) ? [{ name, share }] : [],
    ),
    corridors,
    atReview: corridors.length === 0 ? undefined : sumFlagged(corridors),
    probability: readDistribution(fieldsOf(reference)['probability']),
    bands: readBands(bands),
    validation: readWindow(validation),
  };
}

function readFigure(name: string, of: unknown): Figure[] {
  const { value, low, high } = fieldsOf(of);
  return isNumber(value) && isNumber(low) && isNumber(high) ? [{ name, value, low, high }] : [];
}

function readSegment({ segment, rows, frauds, flagged, falseAlarms, caught }: Fields): Segment[] {
  if (!(isText(segment) && isNumber(rows) && isNumber(frauds) && isNumber(flagged))) return [];
  return [
    {
      ...{ segment, rows, frauds, flagged },
      falseAlarms: isNumber(falseAlarms) ? falseAlarms : null,
      caught: isNumber(caught) ? caught : null,
    },
  ];
}

/** The shares of a card are quotients of counts. */
function sumFlagged(segments: readonly Segment[]): NonNullable<Card['atReview']> {
  const sum = (of: (one: Segment) => number) =>
    segments.reduce((total, one) => total + Math.round(of(one)), 0);
  return {
    flagged: sum(({ flagged, rows }) => flagged * rows),
    frauds: sum(({ caught, frauds }) => (caught ?? 0) * frauds),
  };
}

/** Bin b holds the values at or above exactly b of the cuts. */
function readDistribution(of: unknown): Distribution {
  const { cuts, shares } = fieldsOf(of);
  const parts = numbersOf(shares);
  let below = 0;
  return numbersOf(cuts).map((cut, at) => {
    below += parts[at] ?? 0;
    return [cut, below] as const;
  });
}

function readBands(of: unknown): Card['bands'] {
  const { reviewFrom: review, declineFrom: decline } = fieldsOf(of);
  return isNumber(review) && isNumber(decline) ? { review, decline } : undefined;
}

function readWindow(of: unknown): Card['validation'] {
  const { from, to, rows } = fieldsOf(of);
  return isText(from) && isText(to) && isNumber(rows) ? { from, to, rows } : undefined;
}
