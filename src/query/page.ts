/** The wire form of one page of a list. */
import { z } from 'zod';
import type { Page } from './walk-months.ts';

/** `next_cursor` is null at the end of the list; a page may be short, even empty, before that. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable().meta({
      description:
        'Where to go on; null at the end. A page may be short before the end, as one request looks at a bounded number of rows.',
    }),
  });
}

export function toPageJson<Item, Json>(page: Page<Item>, toJson: (item: Item) => Json) {
  return { items: page.items.map(toJson), next_cursor: page.nextCursor };
}
