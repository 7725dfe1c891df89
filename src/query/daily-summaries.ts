/**
 * `GET /v1/summaries/daily`: per UTC day and corridor, what was accepted and how it was scored: sums of daily tallies,
 * exact at any moment.
 */
import { z } from 'zod';
import { corridorFilter, shown } from '../domain/list-parameters.ts';
import { VERDICTS, type Verdict } from '../domain/score-record.ts';
import { WRITTEN_MS_MAX, WRITTEN_MS_MIN } from '../domain/transaction-id.ts';
import { DAY_MS } from '../domain/utc-bucket.ts';
import { type DaySum, readDays } from '../store/tallies/day-tallies.ts';
import { type Databases, readFrom } from './choose-database.ts';

export const SUMMARY_DAYS_MAX = 92;
const SUMMARY_DAYS_DEFAULT = 7;

const dayParameter = z.iso
  .date('must be a UTC day, as 2026-11-20')
  .transform((day) => Date.parse(`${day}T00:00:00Z`))
  // The last day whose following day Postgres can still read.
  .refine(
    (ms) => ms >= WRITTEN_MS_MIN && ms + DAY_MS <= WRITTEN_MS_MAX,
    'must be a UTC day from 0001-01-01 to 9999-12-30',
  );

/** Both days are included; by default the last seven days. */
export const summaryParameters = z.strictObject({
  corridor: corridorFilter,
  from: dayParameter
    .optional()
    .meta(shown('2026-11-14', 'First day, UTC; by default the sixth before `to`.')),
  to: dayParameter
    .optional()
    .meta(shown('2026-11-20', 'Last day, included and at most 91 days later; default today.')),
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

export const dailySummariesSchema = z.object({
  counted_at: z.iso.datetime().meta({
    description:
      'The figures hold everything stored before this time: the time of the answer less its `Age`, or earlier where no worker has merged tallies for long.',
  }),
  items: z.array(dailySummarySchema),
});
export type DailySummaries = z.infer<typeof dailySummariesSchema>;

/** Starts of UTC days. */
export type SummaryDays = { readonly first: number; readonly last: number };

/** The requested days, both included; a problem names the parameter that requests too many. */
export function daysOf(
  { from, to }: SummaryParameters,
  nowMs: number,
): SummaryDays | { problem: string } {
  const last = to ?? Math.floor(nowMs / DAY_MS) * DAY_MS;
  const first = from ?? last - (SUMMARY_DAYS_DEFAULT - 1) * DAY_MS;
  const count = Math.floor((last - first) / DAY_MS) + 1;
  if (count < 1) return { problem: 'must not lie after /to' };
  if (count > SUMMARY_DAYS_MAX)
    return {
      problem: `must be at most ${SUMMARY_DAYS_MAX} days before the end of /to, not ${count}`,
    };
  return { first, last };
}

/** Oldest day first, then by corridor; days without transactions have no item. */
export async function summarizeDays(
  databases: Databases,
  { first, last }: SummaryDays,
  corridor: string | undefined,
): Promise<DailySummaries> {
  const { days, countedAtMs } = await readFrom(
    databases,
    last + DAY_MS,
    async (database, asOfMs) => {
      const { days, countedTo } = await readDays(database, first, last);
      return { days, countedAtMs: Math.min(countedTo?.getTime() ?? asOfMs, asOfMs) };
    },
  );
  const groups = Map.groupBy(
    days.filter((sum) => corridor === undefined || sum.corridor === corridor),
    (sum) => `${sum.dayMs} ${sum.corridor}`,
  );
  return {
    counted_at: new Date(countedAtMs).toISOString(),
    items: [...groups.values()].flatMap((group) => toSummary(group) ?? []),
  };
}

const isVerdict = (outcome: string): outcome is Verdict =>
  (VERDICTS as readonly string[]).includes(outcome);

/** Sums of one day and corridor; undefined where the day has dead letters alone. */
function toSummary(sums: readonly DaySum[]): DailySummary | undefined {
  const accepted = sums.filter(({ outcome }) => outcome === 'accepted');
  const scores = { approve: 0, review: 0, decline: 0 };
  let [scored, scoreSum] = [0, 0];
  for (const sum of sums) {
    if (!isVerdict(sum.outcome)) continue;
    scores[sum.outcome] += sum.count;
    scored += sum.count;
    scoreSum += sum.scoreSum;
  }
  const [first] = sums;
  if (first === undefined || accepted.length + scored === 0) return undefined;
  return {
    day: new Date(first.dayMs).toISOString().slice(0, 10),
    corridor: first.corridor,
    transactions: accepted.reduce((total, { count }) => total + count, 0),
    amounts: Object.fromEntries(accepted.map(({ currency, amount }) => [currency, amount])),
    scores,
    mean_score: scored === 0 ? null : scoreSum / scored,
  };
}
