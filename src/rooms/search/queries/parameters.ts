/** Parameters of a search, and its page: `GET /v1/transactions?…`. */
import { z } from 'zod';
import {
  checkTogether,
  filters,
  orderParameter,
  status,
} from '../../../core/store/search/search-question.ts';
import {
  CURSOR_DESCRIPTION,
  cursorParameter,
  flagParameter,
  pageLimit,
} from '../../../kit/words/list-parameters.ts';
import { monthlyPageSchema } from '../../../kit/words/page.ts';
import { FIELD_NAMES, fieldsParameter } from './fields.ts';
import { decodeSearchCursor } from './search-cursor.ts';

/** Most rows that a total counts. */
export const TOTAL_MAX = 10_000;

export const transactionSearchParameters = z
  .strictObject({
    ...filters,
    status,
    sort: z.enum(['created_at', 'score', 'amount']).default('created_at').meta({
      description:
        'What the list is ordered by; among equals by created_at and id. `score` lists scores of 300 or more and verdicts other than approve, and with an account, merchant, device or address its newest 20,000 scores; `amount` lists the newest 20,000 rows and needs `currency`.',
    }),
    order: orderParameter.meta({ description: 'Newest, or highest, first: `desc`.' }),
    total: flagParameter.default(false).meta({
      description: `Also counts what matches, up to ${TOTAL_MAX.toLocaleString('en-US')}.`,
      override: { default: false },
    }),
    limit: pageLimit,
    cursor: cursorParameter(decodeSearchCursor).meta({
      description: `${CURSOR_DESCRIPTION} It goes with the parameters of that page, of which only \`limit\`, \`total\` and \`fields\` may change.`,
    }),
    fields: fieldsParameter(
      FIELD_NAMES.foundTransaction,
      'account_id,amount,score.verdict',
      ' `score` is the whole score, and `score.verdict` a field of it.',
    ),
  })
  .superRefine(checkTogether);

export type TransactionSearchParameters = z.output<typeof transactionSearchParameters>;

export const searchPageSchema = <Row extends z.ZodType>(row: Row) =>
  monthlyPageSchema(row).extend({
    complete: z.boolean().meta({
      description:
        'False where the request had looked at 20,000 rows, or 25 months, before the page was full. Go on with `next_cursor`.',
    }),
    searched_to: z.iso.datetime().nullable().meta({
      description:
        'created_at up to which an incomplete page looked; null where it is complete, or in the order of scores.',
    }),
    total: z
      .object({
        count: z.int().min(0).max(TOTAL_MAX),
        more: z.boolean().meta({
          description: `False: \`count\` is exact. True: there are more than ${TOTAL_MAX.toLocaleString('en-US')}, or the request had looked at 20,000 rows; \`count\` is what it found.`,
        }),
      })
      .nullable()
      .optional()
      .meta({
        description:
          'How many match, on all pages; only with `total=true`. Null: the flag `totals` is off.',
      }),
  });
