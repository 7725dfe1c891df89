/** `GET /v1/transactions`: the lists that analysts search. */
import { z } from 'zod';
import { offOf, withReleases } from '../../../core/domain/control.ts';
import { foundTransactionSchema } from '../../../core/domain/transaction-record.ts';
import { readFor } from '../../../core/read-for.ts';
import { requireCorridor } from '../../../core/store/search/require-known.ts';
import { ageHeaders } from '../../../kit/http/answers/answer-headers.ts';
import { answer, read } from '../../../kit/http/operation.ts';
import { selectFields } from '../../../kit/words/selected-fields.ts';
import { FIELD_NAMES, foundTransactionSelected } from '../queries/fields.ts';
import { searchPageSchema, transactionSearchParameters } from '../queries/parameters.ts';
import type { Parts } from '../queries/read-transaction.ts';
import { searchTransactions } from '../queries/search.ts';

/** From this level of a corridor on, the replica answers the reads that name it. */
const SPARING_LEVEL = 2;

export const listTransactions = read({
  at: '/v1/transactions',
  operationId: 'listTransactions',
  summary: 'Search transactions and their scores',
  description:
    'Filters combine: each narrows the list. A request looks at 20,000 rows at most: where these did not suffice, the page says `complete: false`, and `next_cursor` goes on from there, also where the page is short or empty. Rows that arrive meanwhile appear at their place, if it is still to come. `sort=amount`, and `sort=score` of a party, rank the newest 20,000 rows, without a cursor: `to` with the time of `searched_to` asks for older ones.',
  roles: ['analyst'],
  query: transactionSearchParameters,
  headers: ageHeaders,
  answers: {
    200: answer(
      'One page.',
      searchPageSchema(z.union([foundTransactionSchema, foundTransactionSelected])),
    ),
  },
  run: async ({ query: asked, c }, { databases, guards, ingest, controls }: Parts) => {
    const { corridor, fields } = asked;
    const now = controls.current();
    const isOff = asked.total && offOf(now, 'totals') !== undefined;
    const isSparing = corridor !== undefined && guards.health.levelOf(corridor) >= SPARING_LEVEL;
    const { items, ...page } = await readFor(c, { ...databases, isSparing }, (from) =>
      searchTransactions(from, isOff ? { ...asked, total: false } : asked),
    );
    // A corridor that has rows is known, also where it was added after the list was read.
    if (items.length === 0) requireCorridor(ingest.corridors(), corridor);
    const select = selectFields(FIELD_NAMES.foundTransaction, fields);
    const told = items.map(({ score, ...transaction }) =>
      select({ ...transaction, score: score && withReleases(now, score) }),
    );
    return { items: told, ...page, ...(isOff && { total: null }) };
  },
});
