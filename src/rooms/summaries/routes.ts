/** `/v1/summaries`: sums by day. */

import { databasesFor } from '../../core/read-for.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { sayAge } from '../../kit/http/answers/age.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../../kit/http/answers/kept.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { createSummaryCache, readSummaries, type SummaryCache } from './cache.ts';
import { summaryParameters, withDays } from './parameters.ts';
import { type DailySummaries, dailySummariesSchema } from './queries.ts';

type Parts = Pick<Api, 'databases' | 'ingest'> & { readonly cache: SummaryCache };

const example: DailySummaries = {
  counted_at: '2026-11-20T10:00:00.000Z',
  items: [
    {
      day: '2026-11-20',
      corridor: 'US-EG',
      transactions: 1204,
      amounts: { EUR: '90.00', USD: '60120.75' },
      scores: { approve: 1180, review: 19, decline: 5 },
      mean_score: 41.7,
      labels: { fraud: 4, legitimate: 21 },
      dead_letters: 2,
    },
  ],
};

const said = 'Oldest day first, then by group; groups without transactions are left out.';

const operations = [
  operation({
    method: 'get',
    at: '/v1/summaries/daily',
    operationId: 'summarizeDays',
    summary: 'Transactions, amounts, scores, labels and rules that fired by UTC day',
    description:
      'Both days are included, at most 92; default the last seven. Each day is divided by `group_by`. Figures are those of the moment, late transactions and labels included: each counts on the day of its transaction.',
    roles: ['analyst'],
    query: summaryParameters,
    header: conditionalHeader,
    answers: {
      200: answer(said, dailySummariesSchema, example, keptHeaders),
      ...notModified,
    },
    run: async ({ query, c }, { databases, ingest, cache }: Parts) => {
      const question = withDays(query, databases.now());
      const from = databasesFor(c, databases);
      const found = await readSummaries(from, cache, ingest.corridors, question);
      return answerKept(c, sayAge(c, found), ASK_AGAIN);
    },
  }),
];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'summaries'),
  tags: { summaries: 'Sums by day.' },
};

export function openSummaries(api: Api): ApiRoom {
  const { databases, ingest, metrics, limits, afterLabels } = api;
  const cache = createSummaryCache(databases, ingest.corridors, metrics);
  // A caller that has posted a label sees the label at once in this process.
  afterLabels.add(cache.proveAnew);
  return { routes: [routesOf(operations, limits, { databases, ingest, cache })] };
}
