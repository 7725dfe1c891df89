/** The wire form of one page of a list. */
import { z } from 'zod';
import { monthOf, monthText } from './month.ts';

/** Rows of a page whose list takes no `limit`. */
export const LIST_ROWS = 200;

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

const months = (description: string) =>
  z
    .array(z.string().meta({ example: '2026-03' }))
    .optional()
    .meta({ description });

/** Months whose rows a list that walks months is without. */
export const missingMonths = {
  detached_months: months(
    'Months between `from` and `to` that are detached: the list is without their rows. Absent where there is none.',
  ),
  cold_months: months(
    'Those of `detached_months` whose rows are in archives alone. Absent where there is none.',
  ),
};
type MissingMonths = { detached_months?: string[]; cold_months?: string[] };

/** A page of a list that walks months. */
export function monthlyPageSchema<Row extends z.ZodType>(row: Row) {
  return pageSchema(row).extend(missingMonths);
}

export type PageJson<Json> = MissingMonths & {
  items: Json[];
  next_cursor: string | null;
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

type Ranges = readonly { readonly fromMs: number; readonly toMs: number }[];
type Asked = { readonly from?: number | undefined; readonly to?: number | undefined };

/** The months within a list's range that the list is without. */
export function missingWithin(
  { detached, cold }: { readonly detached: Ranges; readonly cold: Ranges },
  asked: Asked,
): MissingMonths {
  const [detachedMonths, coldMonths] = [
    detachedWithin(detached, asked),
    detachedWithin(cold, asked),
  ];
  return {
    ...(detachedMonths.length > 0 && { detached_months: detachedMonths }),
    ...(coldMonths.length > 0 && { cold_months: coldMonths }),
  };
}

/** The detached months within a list's range, newest first. */
export function detachedWithin(detached: Ranges, { from, to }: Asked): string[] {
  return detached
    .filter(({ fromMs, toMs }) => toMs > (from ?? fromMs) && fromMs < (to ?? toMs))
    .map(({ fromMs }) => monthText(monthOf(fromMs)));
}
