/**
 * Calibrates margins to probabilities: of the transactions given 5 %, one in twenty is fraud. The manifest of a model has its
 * calibration as this JSON. A calibration keeps the order of margins, as transactions are ranked by probability.
 */
import { z } from 'zod';
import { logistic } from '../../../kit/elementary-functions.ts';

/** log-odds = slope * margin + intercept. The slope is positive, or the order of margins would be lost. */
export const calibrationSchema = z.strictObject({
  kind: z.literal('platt'),
  slope: z.number().positive(),
  intercept: z.number(),
});
export type Calibration = Readonly<z.infer<typeof calibrationSchema>>;

/** Probability of fraud at a margin. */
export const calibrate = ({ slope, intercept }: Calibration, margin: number): number =>
  logistic(slope * margin + intercept);
