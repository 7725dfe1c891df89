/** The wire form of one page of a list. */
import { z } from 'zod';
import { monthOf, monthText } from './month.ts';

export type Page<Row> = { readonly items: Row[]; readonly nextCursor: string | null };

/** `next_cursor` is null at the end of the list; a page may be short, even empty, before that. */
export function pageSchema<Row extends z.ZodType>(row: Row) {
  return z.object({
    items: z.array(row),
    next_cursor: z.string().nullable().meta({
      description:
        'Where to go on; null at the end. A page may be short before the end, as one request looks at a bounded number of rows.',
    }),
  });
}

export const detachedMonthsField = z
  .array(z.string().meta({ example: '2026-03' }))
  .optional()
  .meta({
    description:
      'Months between `from` and `to` that are detached: the list is without their rows. Absent where there is none.',
  });

/** A page of a list that walks months. */
export function monthlyPageSchema<Row extends z.ZodType>(row: Row) {
  return pageSchema(row).extend({ detached_months: detachedMonthsField });
}

export type PageJson<Json> = {
  items: Json[];
  next_cursor: string | null;
  detached_months?: string[];
};

/** A full page may have rows behind it, so its last row says where to go on. */
export function pageOf<Row>(
  items: Row[],
  limit: number,
  cursorAfter: (last: Row) => string,
): PageJson<Row> {
  const last = items.length === limit ? items.at(-1) : undefined;
  return { items, next_cursor: last === undefined ? null : cursorAfter(last) };
}

export function toPageJson<Row, Json>(
  page: Page<Row>,
  toJson: (row: Row) => Json,
  detached: string[] = [],
): PageJson<Json> {
  return {
    items: page.items.map(toJson),
    next_cursor: page.nextCursor,
    ...(detached.length > 0 ? { detached_months: detached } : {}),
  };
}

/** The detached months within a list's range, newest first. */
export function detachedWithin(
  detached: readonly { readonly fromMs: number; readonly toMs: number }[],
  { from, to }: { readonly from?: number | undefined; readonly to?: number | undefined },
): string[] {
  return detached
    .filter(({ fromMs, toMs }) => toMs > (from ?? fromMs) && fromMs < (to ?? toMs))
    .map(({ fromMs }) => monthText(monthOf(fromMs)));
}
