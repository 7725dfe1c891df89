/** The wire form of what a search found, and what the document says of it. */
import { z } from 'zod';
import { toScoreJson } from '../../../core/domain/score-record.ts';
import {
  type FoundTransactionJson,
  toTransactionJson,
} from '../../../core/domain/transaction-record.ts';
import { toStoredScore } from '../../../core/store/scores/stored-scores.ts';
import { monthlyPageSchema } from '../../../kit/words/page.ts';
import type { FoundTransaction } from '../store/found-rows.ts';
import { TOTAL_MAX } from './parameters.ts';

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

export const toFoundTransaction = (row: FoundTransaction): FoundTransactionJson => ({
  ...toTransactionJson(row),
  score: row.score === null ? null : toScoreJson(toStoredScore(row)),
  label: row.label,
});
