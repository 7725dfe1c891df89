/** Daily summaries as answers have them, in memory as long as no row of their days changes. */
import { readDaysVersion } from '../../core/store/tallies/day-version.ts';
import {
  type AnswerCache,
  type CacheMetrics,
  createAnswerCache,
  type MadeAnswer,
  type ServedAnswer,
} from '../../kit/caches/answer-cache.ts';
import { type Databases, withLag } from '../../kit/database/replica/choose-database.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import type { SummaryQuestion } from './parameters.ts';
import { summarizeDays } from './queries.ts';

const MINUTE_MS = 60_000;
const BYTES_MAX = 8 * 1024 * 1024;
const RECENT_AGE_MS_MAX = 5 * MINUTE_MS;
const PAST_AGE_MS_MAX = 60 * MINUTE_MS;
/** Days that ended longer ago are long past: few of their transactions come so late. */
const RECENT_DAYS = 7;

export type SummaryCache = AnswerCache<SummaryQuestion>;
type Corridors = () => ReadonlySet<string>;

export function createSummaryCache(
  databases: Databases,
  corridors: Corridors,
  metrics: CacheMetrics,
): SummaryCache {
  const { now, primary } = databases;
  const isPast = ({ to }: SummaryQuestion) => to < now() - (RECENT_DAYS + 1) * DAY_MS;
  return createAnswerCache<SummaryQuestion>({
    name: (question) => (isPast(question) ? 'past_summaries' : 'recent_summaries'),
    metrics,
    bytesMax: BYTES_MAX,
    keyOf: (question) => JSON.stringify(question),
    ageMsMax: (question) => (isPast(question) ? PAST_AGE_MS_MAX : RECENT_AGE_MS_MAX),
    make: (question) => makeSummaries(databases, corridors, question),
    readVersion: ({ from, to }) => readDaysVersion(primary, from, to),
  });
}

async function makeSummaries(
  databases: Databases,
  corridors: Corridors,
  question: SummaryQuestion,
): Promise<MadeAnswer> {
  const { answer, lagMs } = await withLag(databases, (databases) =>
    summarizeDays(databases, corridors(), question),
  );
  return { text: JSON.stringify(answer.summaries), version: answer.version, lagMs };
}

/** Answers in memory may lack what a caller that prefers the primary has written. */
export async function readSummaries(
  databases: Databases,
  cache: SummaryCache,
  corridors: Corridors,
  question: SummaryQuestion,
): Promise<ServedAnswer> {
  if (databases.isPrimaryAlone) {
    const made = await makeSummaries(databases, corridors, question);
    return { answer: made, ageMs: made.lagMs };
  }
  const served = await cache.read(question);
  if (served === undefined) throw new Error('there are summaries of any days');
  return served;
}
