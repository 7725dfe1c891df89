/** How a model's margins become calibrated probabilities: part of its manifest, stored as this JSON. */
import { z } from 'zod';

/** Most knots of an isotonic curve; people read the file, too. */
export const CALIBRATION_KNOTS_MAX = 200;

/** log-odds = slope * margin + intercept. The slope is positive, or the order of margins would be lost. */
const line = z.strictObject({ slope: z.number().positive(), intercept: z.number() });
export type Line = Readonly<z.infer<typeof line>>;

const knots = z.array(z.number()).min(1).max(CALIBRATION_KNOTS_MAX).readonly();
const rises = (values: readonly number[]) =>
  values.every((value, at) => at === 0 || value >= (values[at - 1] ?? value));

/** Knots of a non-decreasing curve; below the first and above the last it is constant. */
export type Steps = {
  /** Rising margins. */
  readonly margins: readonly number[];
  /** Non-decreasing probabilities; above 0 and below 1. */
  readonly probabilities: readonly number[];
};

const platt = z.strictObject({ kind: z.literal('platt'), ...line.shape });
const isotonic = z
  .strictObject({ kind: z.literal('isotonic'), line, margins: knots, probabilities: knots })
  .refine(({ margins, probabilities }) => margins.length === probabilities.length, {
    error: 'must have as many probabilities as margins',
  })
  .refine(({ margins, probabilities }) => rises(margins) && rises(probabilities), {
    error: 'must not fall',
  })
  .refine(({ probabilities }) => probabilities.every((one) => one > 0 && one < 1), {
    error: 'must lie between 0 and 1',
  });

export const calibrationSchema = z.discriminatedUnion('kind', [platt, isotonic]);
export type Calibration = Readonly<z.infer<typeof calibrationSchema>>;
