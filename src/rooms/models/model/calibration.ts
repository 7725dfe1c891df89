/**
 * Calibrates margins to probabilities: of the transactions given 5 %, one in twenty is fraud. It is part of a model's manifest,
 * stored as this JSON; both kinds keep the order of margins, as transactions are ranked by probability.
 */
import { z } from 'zod';
import { logistic } from '../../../kit/elementary-functions.ts';
import { countNotAbove } from '../bins.ts';

/** Most knots of an isotonic curve; people read the file, too. */
export const CALIBRATION_KNOTS_MAX = 200;
/**
 * Share of Platt's probability in an isotonic one: the steps alone would give many margins the same
 * probability, and coarse scores cost average precision.
 */
const LINE_SHARE = 0.01;

/** log-odds = slope * margin + intercept. The slope is positive, or the order of margins would be lost. */
const line = z.strictObject({ slope: z.number().positive(), intercept: z.number() });
export type Line = Readonly<z.infer<typeof line>>;

const knots = z.array(z.number()).min(1).max(CALIBRATION_KNOTS_MAX).readonly();
const rises = (values: readonly number[]) =>
  values.every((value, at) => at === 0 || value >= (values[at - 1] ?? value));

const platt = z.strictObject({ kind: z.literal('platt'), ...line.shape });
/** Knots of a non-decreasing curve; below the first and above the last it is constant. */
const isotonic = z
  .strictObject({ kind: z.literal('isotonic'), line, margins: knots, probabilities: knots })
  .refine(({ margins, probabilities }) => margins.length === probabilities.length, {
    error: 'must have as many probabilities as margins',
  })
  .refine(({ margins, probabilities }) => rises(margins) && rises(probabilities), {
    error: 'must not fall',
  })
  .refine(
    ({ probabilities }) => probabilities.every((probability) => probability > 0 && probability < 1),
    {
      error: 'must lie between 0 and 1',
    },
  );

export const calibrationSchema = z.discriminatedUnion('kind', [platt, isotonic]);
export type Calibration = Readonly<z.infer<typeof calibrationSchema>>;
export type Steps = Pick<z.infer<typeof isotonic>, 'margins' | 'probabilities'>;

/** Probability of fraud at a margin; above 0 and below 1. */
export function calibrate(calibration: Calibration, margin: number): number {
  switch (calibration.kind) {
    case 'platt':
      return onLine(calibration, margin);
    case 'isotonic': {
      const steps = onSteps(calibration, margin);
      return (1 - LINE_SHARE) * steps + LINE_SHARE * onLine(calibration.line, margin);
    }
  }
}

function onLine({ slope, intercept }: Line, margin: number): number {
  return logistic(slope * margin + intercept);
}

function onSteps({ margins, probabilities }: Steps, margin: number): number {
  const at = countNotAbove(margins, margin);
  const from = margins[at - 1];
  const to = margins[at];
  const below = probabilities[at - 1];
  const above = probabilities[at];
  if (from === undefined || below === undefined) return above ?? 0;
  if (to === undefined || above === undefined) return below;
  return below + ((above - below) * (margin - from)) / (to - from);
}
