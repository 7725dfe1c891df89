/** Daily summaries as they are sent, in memory as long as no row of their days changes. */
import type { SummaryDays, SummaryParameters } from '../../core/read/summary-parameters.ts';
import { readDaysVersion } from '../../core/store/tallies/day-version.ts';
import { createAnswerCache, type MadeAnswer } from '../../kit/caches/answer-cache.ts';
import {
  type Databases,
  requireWrite,
  withLag,
} from '../../kit/database/replica/choose-database.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { ConsistencyToken } from '../../kit/words/consistency-token.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { summarizeDays } from './daily-summaries.ts';

const MINUTE_MS = 60_000;
const BYTES_MAX = 8 * 1024 * 1024;
const RECENT_AGE_MS_MAX = 5 * MINUTE_MS;
const PAST_AGE_MS_MAX = 60 * MINUTE_MS;
/** Days that ended longer ago are long past: few of their transactions come so late. */
const RECENT_DAYS = 7;

type Question = { readonly days: SummaryDays; readonly parameters: SummaryParameters };
type CountMetrics = Pick<Metrics, 'cacheHits' | 'cacheMisses'>;

export function createSummaries(
  databases: Databases,
  corridors: () => ReadonlySet<string>,
  { cacheHits, cacheMisses }: CountMetrics,
) {
  const { now, primary } = databases;
  const isPast = ({ days }: Question) => days.last < now() - (RECENT_DAYS + 1) * DAY_MS;
  const cache = createAnswerCache<Question>({
    bytesMax: BYTES_MAX,
    keyOf: ({ days, parameters }) =>
      JSON.stringify({ ...parameters, from: days.first, to: days.last }),
    ageMsMax: (question) => (isPast(question) ? PAST_AGE_MS_MAX : RECENT_AGE_MS_MAX),
    make: (question) => makeSummaries(databases, corridors, question),
    readVersion: ({ days }) => readDaysVersion(primary, days.first, days.last),
    count: (isHit, question) => {
      const name = isPast(question) ? 'past_summaries' : 'recent_summaries';
      (isHit ? cacheHits : cacheMisses).inc({ cache: name, tier: 'memory' });
    },
    nowMs: () => performance.now(),
  });
  return {
    proveAnew: cache.proveAnew,
    /** What is in memory may lack the write of a token. */
    read: async (question: Question, after?: ConsistencyToken) => {
      if (after === undefined) {
        const served = await cache.read(question);
        if (served === undefined) throw new Error('there are summaries of any days');
        return served;
      }
      const made = await makeSummaries(requireWrite(databases, after), corridors, question);
      return { answer: made, ageMs: made.lagMs };
    },
  };
}

export async function makeSummaries(
  databases: Databases,
  corridors: () => ReadonlySet<string>,
  { days, parameters }: Question,
): Promise<MadeAnswer> {
  const { answer, lagMs } = await withLag(databases, (databases) =>
    summarizeDays(databases, corridors, days, parameters),
  );
  return { text: JSON.stringify(answer.summaries), version: answer.version, lagMs };
}
