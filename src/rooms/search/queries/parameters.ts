/**
 * Parameters of a search, its cursors and its page: `GET /v1/transactions?…`. A cursor is the row after which a list goes on, and a
 * digest of what was asked. Rows may arrive between two pages, as no row has a number.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SCORE_MAX } from '../../../core/domain/score-record.ts';
import {
  checkTogether,
  filters,
  orderParameter,
  status,
} from '../../../core/store/search/search-question.ts';
import type { RowPosition } from '../../../core/store/search/search-rows.ts';
import {
  decodeCursor,
  decodeJsonCursor,
  encodeCursor,
  encodeJsonCursor,
} from '../../../kit/words/cursor.ts';
import {
  CURSOR_DESCRIPTION,
  cursorParameter,
  flagParameter,
  pageLimit,
} from '../../../kit/words/list-parameters.ts';
import { monthlyPageSchema } from '../../../kit/words/page.ts';
import { FIELD_NAMES, fieldsParameter } from './fields.ts';

/** `value` is a score in the order of scores, and null in the order of time. */
type SearchCursor = { readonly digest: string; readonly after: RowPosition };

const DIGEST_BYTES = 9;

const cursorSchema = z.tuple([z.string(), z.string(), z.int().min(0).max(SCORE_MAX).nullable()]);

/** @param question whatever a cursor is bound to, in the order of its keys */
export function digestQuestion(question: object): string {
  const hash = createHash('sha256').update(JSON.stringify(question)).digest();
  return hash.subarray(0, DIGEST_BYTES).toString('base64url');
}

export const encodeSearchCursor = ({ digest, after }: SearchCursor): string =>
  encodeJsonCursor([digest, encodeCursor(after), after.value && Number(after.value)]);

/** Reads a cursor; undefined where the engine did not make it. */
export function decodeSearchCursor(text: string): SearchCursor | undefined {
  const [digest = '', position = '', score = null] = decodeJsonCursor(text, cursorSchema) ?? [];
  const after = decodeCursor(position);
  return after && { digest, after: { ...after, value: score === null ? null : String(score) } };
}

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
