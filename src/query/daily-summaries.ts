/**
 * `GET /v1/summaries/daily`: per UTC day and corridor, what was accepted and how it was scored. A day is
 * summed once for all corridors and kept: five minutes while it may still change much, an hour once it
 * lies behind (a late arrival shows within that hour).
 */
import { z } from 'zod';
import { corridorParameter } from '../domain/list-parameters.ts';
import { VERDICTS } from '../domain/score-record.ts';
import { WRITTEN_MS_MAX, WRITTEN_MS_MIN } from '../domain/transaction-id.ts';
import type * as DailySummaries from '../store/daily-summaries.ts';
import { chooseDatabase, type Databases } from './choose-database.ts';

const DAY_MS = 86_400_000;
export const SUMMARY_DAYS_MAX = 92;
const SUMMARY_DAYS_DEFAULT = 7;
const RECENT_TTL_MS = 5 * 60 * 1000;
const CLOSED_TTL_MS = 60 * 60 * 1000;

const dayParameter = z.iso
  .date('must be a UTC day, as 2026-11-20')
  .transform((day) => Date.parse(`${day}T00:00:00Z`))
  // The day after is a time that Postgres reads, too.
  .refine((ms) => ms >= WRITTEN_MS_MIN && ms + DAY_MS <= WRITTEN_MS_MAX, 'is out of range');

/** Both days are included; default: the last seven. */
export const summaryParameters = z.strictObject({
  corridor: corridorParameter.optional(),
  from: dayParameter.optional(),
  to: dayParameter.optional(),
});
export type SummaryParameters = z.output<typeof summaryParameters>;

export const dailySummarySchema = z
  .object({
    day: z.iso.date(),
    corridor: z.string(),
    transactions: z.int(),
    amounts: z
      .record(z.string(), z.string())
      .meta({ description: 'Sums by currency.', example: { USD: '125.50' } }),
    scores: z.object({ approve: z.int(), review: z.int(), decline: z.int() }),
    mean_score: z.number().nullable().meta({ description: 'Null when nothing is scored yet.' }),
  })
  .meta({ id: 'DailySummary' });
export type DailySummary = z.infer<typeof dailySummarySchema>;

export type SummaryCache = {
  get(dayStartMs: number): readonly DailySummary[] | undefined;
  set(dayStartMs: number, day: readonly DailySummary[], options: { ttl: number }): unknown;
};

export type SummarizeDependencies = {
  readonly databases: Databases;
  readonly readDay: typeof DailySummaries.readDay;
  readonly cache: SummaryCache;
  readonly countCache: (cache: 'summaries', hit: boolean) => void;
};

/** The days asked for; a problem names the parameter that asks for too many. */
export function daysOf(
  { from, to }: SummaryParameters,
  nowMs: number,
): { days: number[] } | { problem: string } {
  const last = to ?? Math.floor(nowMs / DAY_MS) * DAY_MS;
  const first = from ?? last - (SUMMARY_DAYS_DEFAULT - 1) * DAY_MS;
  const count = Math.floor((last - first) / DAY_MS) + 1;
  if (count < 1) return { problem: 'must not lie after to' };
  if (count > SUMMARY_DAYS_MAX)
    return { problem: `must lie within ${SUMMARY_DAYS_MAX} days of to` };
  return { days: Array.from({ length: count }, (_, n) => first + n * DAY_MS) };
}

/** Oldest day first, then by corridor; days without transactions have no item. */
export async function summarizeDays(
  dependencies: SummarizeDependencies,
  days: readonly number[],
  corridor: string | undefined,
): Promise<DailySummary[]> {
  const all: DailySummary[] = [];
  // One after the other: each may read a whole day, and what is done is kept for the next request.
  for (const day of days) all.push(...(await summarizeDay(dependencies, day)));
  return corridor === undefined ? all : all.filter((item) => item.corridor === corridor);
}

async function summarizeDay(
  { databases, readDay, cache, countCache }: SummarizeDependencies,
  dayStartMs: number,
): Promise<readonly DailySummary[]> {
  const kept = cache.get(dayStartMs);
  countCache('summaries', kept !== undefined);
  if (kept !== undefined) return kept;
  const endMs = dayStartMs + DAY_MS;
  const sums = await readDay(chooseDatabase(databases, endMs), dayStartMs);
  const day = toSummaries(dayStartMs, sums);
  const isClosed = endMs <= Math.floor(databases.now() / DAY_MS) * DAY_MS - DAY_MS;
  cache.set(dayStartMs, day, { ttl: isClosed ? CLOSED_TTL_MS : RECENT_TTL_MS });
  return day;
}

function toSummaries(
  dayStartMs: number,
  { amounts, scores }: Awaited<ReturnType<typeof DailySummaries.readDay>>,
): DailySummary[] {
  const corridors = new Set([...amounts, ...scores].map((row) => row.corridor));
  return [...corridors].sort().map((corridor) => {
    const ours = amounts.filter((row) => row.corridor === corridor);
    const scored = scores.filter((row) => row.corridor === corridor);
    const byVerdict = VERDICTS.map((verdict) => [
      verdict,
      scored.find((row) => row.verdict === verdict)?.scores ?? 0,
    ]);
    const count = scored.reduce((total, row) => total + row.scores, 0);
    const sum = scored.reduce((total, row) => total + row.scoreSum, 0);
    return {
      day: new Date(dayStartMs).toISOString().slice(0, 10),
      corridor,
      transactions: ours.reduce((total, row) => total + row.transactions, 0),
      amounts: Object.fromEntries(
        ours
          .sort((a, b) => (a.currency < b.currency ? -1 : 1))
          .map((row) => [row.currency, row.sum]),
      ),
      scores: Object.fromEntries(byVerdict) as DailySummary['scores'],
      mean_score: count === 0 ? null : sum / count,
    };
  });
}
