/** How long scores take, for the status: read from Postgres every few seconds at most, however many ask. */
import { z } from 'zod';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { settlesWithin } from '../../../kit/process/settles-within.ts';
import { isUnavailable } from '../../../kit/words/failure.ts';
import {
  LATENCY_SAMPLE_MAX,
  type Latencies,
  type Latency,
  readLatencies,
} from '../store/latency-sample.ts';

/** Age from which figures are read anew. */
const LATENCY_AGE_MS = 5000;
/** Longest time that a caller waits for new figures; then it has those before. */
const PATIENCE_MS = 250;

const milliseconds = (share: string) =>
  z
    .number()
    .nullable()
    .meta({
      description: `From receipt to score, of ${share} of the transactions looked at. Null: there was none.`,
    });

/** Fields of the status as a whole, and of each corridor. */
export const latencyFields = {
  latency_p50_ms: milliseconds('half'),
  latency_p95_ms: milliseconds('95 %'),
  latency_transactions: z.int().meta({
    description: `Transactions looked at: the ${LATENCY_SAMPLE_MAX} of all corridors that were scored last, created this month or in the 31 days before. The figures of a corridor use only its own.`,
  }),
  latency_newest_at: z.iso
    .datetime()
    .nullable()
    .meta({ description: 'When the newest of them was scored.' }),
};
export type LatencyJson = z.infer<z.ZodObject<typeof latencyFields>>;

export const latencyJson = (latency: Latency | undefined): LatencyJson => ({
  latency_p50_ms: latency?.p50Ms ?? null,
  latency_p95_ms: latency?.p95Ms ?? null,
  latency_transactions: latency?.transactions ?? 0,
  latency_newest_at: latency?.newestAt.toISOString() ?? null,
});

const NONE: Latencies = { all: undefined, byCorridor: new Map() };

/** Keeps the last figures while Postgres does not answer. */
export function createReadLatency({ primary, now }: Pick<Databases, 'primary' | 'now'>) {
  let last = NONE;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const read = async () => {
    try {
      last = await readLatencies(primary, now());
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    } finally {
      readAtMs = now();
      reading = undefined;
    }
  };
  return async (): Promise<Latencies> => {
    if (Math.abs(now() - readAtMs) >= LATENCY_AGE_MS) reading ??= read();
    if (reading !== undefined) await settlesWithin(reading, PATIENCE_MS);
    return last;
  };
}
