/** `GET /v1/labels?…`: labels, newest first. A page that is not complete says by its cursor where to go on. */
import { z } from 'zod';
import {
  type StoredLabel,
  storedLabelSchema,
  toLabelJson,
} from '../../core/domain/label-record.ts';
import { listWalkedMonths } from '../../core/store/partitions/month-slice.ts';
import { createBudget } from '../../core/store/search/walk.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { missingWithin, monthlyPageSchema, type Page, toPageJson } from '../../kit/words/page.ts';
import { encodeLabelCursor, type LabelListParameters, type LabelPosition } from './parameters.ts';
import { type LabelSlice, searchStoredLabels } from './store.ts';

export const labelPageSchema = monthlyPageSchema(storedLabelSchema).extend({
  complete: z.boolean().meta({
    description:
      'False where the page ends before `limit` because the request had looked at enough rows: go on with `next_cursor`.',
  }),
});

/** @param client the client whose transactions are seen; null for all */
export async function searchLabels(
  databases: Databases,
  { limit, cursor, ...asked }: LabelListParameters,
  client: string | null,
): Promise<z.infer<typeof labelPageSchema>> {
  const { to = Infinity } = asked;
  const walked = await listWalkedMonths(databases.primary, 'labels');
  const page = await walkLabels(limit, cursor, (before, rowsMax) => {
    const newestMs = Math.min(to, (before?.labelledAt.getTime() ?? Infinity) + 1);
    return readFrom(databases, newestMs, (database) =>
      searchStoredLabels(database, { ...asked, client }, before, rowsMax),
    );
  });
  // A label may come long after the month of its transaction, so every month before `to` may lack some.
  const missing = missingWithin(walked, { to });
  const json = toPageJson(page, (label) => toLabelJson(label, client), missing);
  return { ...json, complete: page.complete };
}

/** Reads slice after slice until the page is full, nothing is left or the budget is spent. */
export async function walkLabels(
  limit: number,
  cursor: LabelPosition | undefined,
  readSlice: (before: LabelPosition | undefined, rowsMax: number) => Promise<LabelSlice>,
): Promise<Page<StoredLabel> & { readonly complete: boolean }> {
  const budget = createBudget();
  const items: StoredLabel[] = [];
  let before = cursor;
  while (!budget.isSpent()) {
    budget.count();
    const { rows, reached } = await readSlice(before, limit + 1 - items.length);
    items.push(...rows);
    if (items.length > limit) {
      items.length = limit;
      before = items.at(-1);
      break;
    }
    if (reached === null) return { items, nextCursor: null, complete: true };
    before = reached;
  }
  const nextCursor = before === undefined ? null : encodeLabelCursor(before);
  return { items, nextCursor, complete: items.length === limit };
}
