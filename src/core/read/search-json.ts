/** The wire form of what a search found, and what the document says of it. */
import { z } from 'zod';
import { LABEL_VALUES } from '../domain/label.ts';
import { scoreSchema, toScoreJson } from '../domain/score-record.ts';
import type { FoundTransaction } from '../store/search/found-rows.ts';
import { monthlyPageSchema, toPageJson } from './page.ts';
import { TOTAL_MAX } from './search-parameters.ts';
import { storedTransactionSchema, toTransactionJson } from './transaction-json.ts';

export const SEARCH_DESCRIPTION =
  'Filters combine: each narrows the list. A request looks at a bounded number of rows: where these did not suffice, the page says `complete: false` and how far it looked, and `next_cursor` goes on from there, also where the page is short or empty. Rows that arrive meanwhile appear at their place, if it is still to come. Where no index has the order, as of amounts, an incomplete page ranks only the rows up to `searched_to`, and the next ones continue with older ones.';

export const foundTransactionSchema = storedTransactionSchema
  .extend({
    score: scoreSchema.nullable().meta({ description: 'Null: it has no score.' }),
    label: z
      .enum(LABEL_VALUES)
      .nullable()
      .meta({ description: 'The label that decides; null: it has none.' }),
  })
  .meta({ id: 'FoundTransaction' });
export type FoundTransactionJson = z.infer<typeof foundTransactionSchema>;

export const foundScoreSchema = scoreSchema
  .extend({
    ...storedTransactionSchema.pick({
      ...{ merchant_id: true, amount: true, currency: true, country: true },
      ...{ device_id: true, channel: true, received_at: true },
    }).shape,
  })
  .meta({ id: 'FoundScore' });
export type FoundScoreJson = z.infer<typeof foundScoreSchema>;

export function searchPageSchema<Item extends z.ZodType>(item: Item) {
  return monthlyPageSchema(item).extend({
    complete: z.boolean().meta({
      description:
        'False where the request had looked at as many rows as it may, or Postgres was slow: what lies beyond `searched_to` may belong before or behind these items. Go on with `next_cursor`.',
    }),
    searched_to: z.iso.datetime().nullable().meta({
      description: 'created_at up to which the request looked; null: all that was asked.',
    }),
    searched_to_score: z.int().optional().meta({
      description:
        'In place of `searched_to` where the request followed scores: the score up to which it looked.',
    }),
    total: z
      .object({
        count: z.int().min(0).max(TOTAL_MAX),
        more: z.boolean().meta({
          description: `False: \`count\` is exact. True: there are more than ${TOTAL_MAX.toLocaleString('en-US')}, or the request could not look at all of them; \`count\` is what it found.`,
        }),
      })
      .optional()
      .meta({ description: 'How many match, on all pages; only with `total=true`.' }),
  });
}

/** What a search found, and how far it looked. */
export type Found = {
  readonly rows: readonly FoundTransaction[];
  readonly nextCursor: string | null;
  readonly detachedMonths: string[];
  readonly complete: boolean;
  readonly searched: { readonly searched_to: string | null; readonly searched_to_score?: number };
  readonly total: { readonly count: number; readonly more: boolean } | undefined;
};

export function toSearchPage<Json>(found: Found, toJson: (one: FoundTransaction) => Json) {
  const { rows, nextCursor, detachedMonths, complete, searched, total } = found;
  const page = toPageJson({ items: [...rows], nextCursor }, toJson, detachedMonths);
  return { ...page, complete, ...searched, ...(total === undefined ? {} : { total }) };
}

export function toFoundTransaction(found: FoundTransaction): FoundTransactionJson {
  const { transaction, score, label } = found;
  return {
    ...toTransactionJson(transaction),
    score: score === null ? null : toScoreJson(score),
    label,
  };
}

export function toFoundScore({ transaction, score }: FoundTransaction): FoundScoreJson {
  if (score === null) throw new Error('a search of scores has found a row without one');
  const { merchant_id, amount, currency, country, device_id, channel, received_at } =
    toTransactionJson(transaction);
  const found = { merchant_id, amount, currency, country, device_id, channel, received_at };
  return { ...toScoreJson(score), ...found };
}
