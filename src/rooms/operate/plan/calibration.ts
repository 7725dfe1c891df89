/** A file of JSON: `risk calibrate` measures its figures on a machine, and `risk plan` computes with them. */
import { z } from 'zod';

const positive = z.number().positive();

export const calibrationSchema = z.strictObject({
  measured_at: z.iso.datetime(),
  /** Processor and number of cores. */
  machine: z.string(),
  seconds: positive,
  transactions: z.int().positive(),
  transactions_per_request: positive,
  /** Processor time of a transaction, microseconds; null where the server runs elsewhere, or its time cannot be read. */
  api_us: positive,
  worker_us: positive,
  postgres_us: positive.nullable(),
  redis_us: positive.nullable(),
  /** Everything that Postgres stores of a transaction, with indexes. */
  postgres_bytes_per_transaction: positive,
  /** A profile in Redis, on average; null where there was none. */
  redis_bytes_per_account: positive.nullable(),
  redis_bytes_per_merchant: positive.nullable(),
  /** Ratio within the profiles that were sampled. */
  merchants_per_account: z.number().nonnegative(),
  /** Share of the scores that people review. */
  review_ratio: z.number().min(0).max(1),
  /** Share of the transactions, by corridor. */
  corridors: z.record(z.string(), z.number().min(0).max(1)),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** A calibration is some kilobytes, with a line a corridor. */
export const CALIBRATION_BYTES_MAX = 1024 * 1024;
/** Name of the file in the data folder. */
export const CALIBRATION_FILE = 'calibration.json';
