/** `/v1/summaries`: sums by day. */
import type { Api, ApiRoom } from '../../core/room.ts';
import { readDaysVersion } from '../../core/store/tallies/day-tallies.ts';
import {
  type AnswerCache,
  type CacheMetrics,
  createAnswerCache,
  type MadeAnswer,
} from '../../kit/caches/answer-cache.ts';
import { type Databases, withLag } from '../../kit/database/replica/choose-database.ts';
import { ageHeaders, sayAge } from '../../kit/http/answers/answer-headers.ts';
import { ASK_AGAIN } from '../../kit/http/answers/kept.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { prefersPrimary } from '../../kit/http/prefer.ts';
import { DAY_MS, MINUTE_MS } from '../../kit/words/range.ts';
import { type SummaryQuestion, summaryParameters, withDays } from './parameters.ts';
import { dailySummariesSchema, summarizeDays } from './queries.ts';

type Parts = Pick<Api, 'databases'> & { readonly cache: SummaryCache };

const operations = [
  read({
    at: '/v1/summaries/daily',
    operationId: 'summarizeDays',
    summary: 'Transactions, amounts, scores, labels and rules that fired by UTC day',
    description:
      'Both days are included, at most 92; default the last seven. Each day is divided by `group_by`. Figures are those of the moment, late transactions and labels included: each counts on the day of its transaction.',
    roles: ['analyst'],
    query: summaryParameters,
    kept: ASK_AGAIN,
    headers: ageHeaders,
    answers: {
      200: answer(
        'Oldest day first, then by group; groups without transactions are left out.',
        dailySummariesSchema,
      ),
    },
    run: async ({ query, c }, { databases, cache }: Parts) => {
      const question = withDays(query, databases.now());
      const found = await cache.read(question, prefersPrimary(c));
      if (found === undefined) throw new Error('there are summaries of any days');
      return sayAge(c, found);
    },
  }),
];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'summaries'),
  tags: { summaries: 'Sums by day.' },
};

const BYTES_MAX = 8 * 1024 * 1024;
const RECENT_AGE_MS_MAX = 5 * MINUTE_MS;
const PAST_AGE_MS_MAX = 60 * MINUTE_MS;
/** Days that ended longer ago are long past: few of their transactions come so late. */
const RECENT_DAYS = 7;

type SummaryCache = AnswerCache<SummaryQuestion>;
type Corridors = () => ReadonlySet<string>;

export function open(api: Api): ApiRoom {
  const { databases, ingest, metrics, limits, afterLabels } = api;
  const cache = createSummaryCache(databases, ingest.corridors, metrics);
  // A caller that has posted a label sees the label at once in this process.
  afterLabels.add(cache.proveAnew);
  return { routes: [routesOf(operations, limits, { databases, cache })] };
}

/** Daily summaries as answers have them, in memory as long as no row of their days changes. */
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
    make: (question, isPrimaryAlone) =>
      makeSummaries({ ...databases, isPrimaryAlone }, corridors, question),
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
