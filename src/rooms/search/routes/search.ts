/** `GET /v1/transactions` and `GET /v1/scores`: the lists that analysts search. */
import type { Context } from 'hono';
import { z } from 'zod';
import {
  foundTransaction,
  score,
  storedTransaction,
  TRANSACTION_ID,
} from '../../../core/accept/examples.ts';
import { offOf, withReleases } from '../../../core/domain/control.ts';
import { foundTransactionSchema } from '../../../core/domain/transaction-record.ts';
import { readFor } from '../../../core/read-for.ts';
import { requireCorridor } from '../../../core/store/search/require-known.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { ageHeaders } from '../../../kit/http/answers/answer-headers.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { answer, operation } from '../../../kit/http/operation.ts';
import { selectFields } from '../../../kit/words/selected-fields.ts';
import {
  FIELD_NAMES,
  foundScoreSchema,
  foundScoreSelected,
  foundTransactionSelected,
} from '../queries/fields.ts';
import { scoreSearchParameters, transactionSearchParameters } from '../queries/parameters.ts';
import type { Parts } from '../queries/read-transaction.ts';
import { searchScores, searchTransactions } from '../queries/search.ts';
import { digestQuestion, encodeSearchCursor } from '../queries/search-cursor.ts';
import { searchPageSchema } from '../queries/search-json.ts';

type Question = { readonly corridor?: string | undefined; readonly total: boolean };

/** From this level of a corridor on, the replica answers the reads that name it. */
const SPARING_LEVEL = 2;

/** A corridor that has rows is known, also where it was added after the list was read. */
async function readPage<
  Asked extends Question,
  Page extends { readonly items: readonly unknown[] },
>(
  c: Context<AppEnv>,
  { databases, guards, ingest, controls }: Parts,
  asked: Asked,
  search: (databases: Databases, asked: Asked) => Promise<Page>,
) {
  const isOff = asked.total && offOf(controls.current(), 'totals') !== undefined;
  const counted = isOff ? { ...asked, total: false } : asked;
  const { corridor } = asked;
  const isSparing = corridor !== undefined && guards.health.levelOf(corridor) >= SPARING_LEVEL;
  const page = await readFor(c, { ...databases, isSparing }, (from) => search(from, counted));
  if (page.items.length === 0) requireCorridor(ingest.corridors(), asked.corridor);
  return isOff ? { ...page, total: null } : page;
}

const DESCRIPTION =
  'Filters combine: each narrows the list. A request looks at 20,000 rows at most: where these did not suffice, the page says `complete: false`, and `next_cursor` goes on from there, also where the page is short or empty. Rows that arrive meanwhile appear at their place, if it is still to come. `sort=amount`, and `sort=score` of a party, rank the newest 20,000 rows, without a cursor: `to` with the time of `searched_to` asks for older ones.';

const { created_at, received_at } = storedTransaction;

const transactionsExample = {
  items: [foundTransaction],
  next_cursor: encodeSearchCursor({
    digest: digestQuestion({}),
    after: { id: TRANSACTION_ID, atMs: Date.parse(created_at), value: null },
  }),
  complete: true,
  searched_to: null,
  total: { count: 3, more: false },
};

const foundScore = {
  ...score,
  merchant_id: 'm_9',
  amount: '125.50',
  currency: 'USD',
  country: 'US',
  device_id: 'device-4f2a',
  channel: 'web',
  received_at,
};

export const listTransactions = operation({
  method: 'get',
  at: '/v1/transactions',
  operationId: 'listTransactions',
  summary: 'Search transactions',
  description: DESCRIPTION,
  roles: ['analyst'],
  query: transactionSearchParameters,
  answers: {
    200: answer(
      'One page.',
      searchPageSchema(z.union([foundTransactionSchema, foundTransactionSelected])),
      transactionsExample,
      ageHeaders,
    ),
  },
  run: ({ query, c }, parts: Parts) =>
    readPage(c, parts, query, async (from, asked) => {
      const { items, ...page } = await searchTransactions(from, asked);
      const now = parts.controls.current();
      const select = selectFields(FIELD_NAMES.foundTransaction, asked.fields);
      const told = items.map((transaction) =>
        select({
          ...transaction,
          score: transaction.score && withReleases(now, transaction.score),
        }),
      );
      return { items: told, ...page };
    }),
});

export const listScores = operation({
  method: 'get',
  at: '/v1/scores',
  operationId: 'listScores',
  summary: 'Search scores',
  description: DESCRIPTION,
  roles: ['analyst'],
  query: scoreSearchParameters,
  answers: {
    200: answer(
      'One page.',
      searchPageSchema(z.union([foundScoreSchema, foundScoreSelected])),
      { items: [foundScore], next_cursor: null, complete: true, searched_to: null },
      ageHeaders,
    ),
  },
  run: ({ query, c }, parts: Parts) =>
    readPage(c, parts, query, async (from, asked) => {
      const { items, ...page } = await searchScores(from, asked);
      const now = parts.controls.current();
      const select = selectFields(FIELD_NAMES.foundScore, asked.fields);
      return { items: items.map((score) => select(withReleases(now, score))), ...page };
    }),
});
