/** How many workers report, and which are silent without a replacement. */
import { z } from 'zod';
import { type SeenAt, SILENT_MS } from '../../../core/stream/status/workers.ts';

export const workerCountsSchema = z.object({
  live: z.int().meta({ description: `Reported within ${SILENT_MS / 1000} s.` }),
  missing: z.int().meta({
    description:
      'Silent, neither ended in good order nor replaced, and seen within the last hour: `GET /v1/workers` names each.',
  }),
});
type WorkerCounts = z.infer<typeof workerCountsSchema>;

export function countWorkers(seen: readonly SeenAt[], nowMs: number): WorkerCounts {
  const live = seen.filter(({ atMs }) => nowMs - atMs <= SILENT_MS).length;
  return { live, missing: missingWorkers(seen, nowMs).length };
}

/**
 * The silent workers that no other worker has replaced. Each worker that started after the silence of another one replaces it,
 * and a worker replaces at most one other.
 */
export function missingWorkers(seen: readonly SeenAt[], nowMs: number): SeenAt[] {
  const starts = seen
    .map(({ worker }) => Date.parse(worker.startedAt))
    .toSorted((left, right) => right - left);
  // The worker that fell silent last has the fewest replacements to choose from.
  const silent = seen.filter(({ atMs }) => nowMs - atMs > SILENT_MS);
  return silent
    .toSorted((left, right) => right.atMs - left.atMs)
    .filter(({ atMs }) => {
      const isReplaced = (starts[0] ?? 0) > atMs;
      if (isReplaced) starts.shift();
      return !isReplaced;
    });
}
