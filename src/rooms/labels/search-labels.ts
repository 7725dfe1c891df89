/**
 * `GET /v1/labels?…`: labels, newest first. A request reads at most SLICES_MAX slices and begins none after WALK_MS_MAX; then
 * the page is not complete, and its cursor says where to go on.
 */
import { z } from 'zod';
import { storedLabelSchema, toLabelJson } from '../../core/read/label-json.ts';
import { detachedWithin, monthlyPageSchema, type Page, toPageJson } from '../../core/read/page.ts';
import { SLICES_MAX, WALK_MS_MAX } from '../../core/read/walk.ts';
import {
  type LabelFilter,
  type LabelSlice,
  type StoredLabel,
  searchStoredLabels,
} from '../../core/store/labels/label-search.ts';
import { listWalkedMonths } from '../../core/store/partitions/month-slice.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { encodeLabelCursor, type LabelListParameters, type LabelPosition } from './label-list.ts';

export const labelPageSchema = monthlyPageSchema(storedLabelSchema).extend({
  complete: z.boolean().meta({
    description:
      'False where the page ends before `limit` because the request had looked at enough rows: go on with `next_cursor`.',
  }),
});
type LabelPageJson = z.infer<typeof labelPageSchema>;

type LabelsPage = Page<StoredLabel> & { readonly complete: boolean };

/** @param client the client whose transactions are seen; null for all */
export async function searchLabels(
  databases: Databases,
  parameters: LabelListParameters,
  client: string | null,
): Promise<LabelPageJson> {
  const { to, limit, cursor } = parameters;
  const filter: LabelFilter = {
    ...{ accountId: parameters.account_id, merchantId: parameters.merchant_id },
    ...{ transactionId: parameters.transaction_id, label: parameters.label, client },
    ...{ source: parameters.source, fromMs: parameters.from, toMs: to },
  };
  const { detached } = await listWalkedMonths(databases.primary, 'labels');
  const page = await walkLabels(limit, cursor, (before, rowsMax) => {
    const newestMs = Math.min(to ?? Infinity, (before?.labelledAtMs ?? Infinity) + 1);
    return readFrom(databases, newestMs, (database) =>
      searchStoredLabels(database, filter, before, rowsMax),
    );
  });
  // Labels of a month may have come at any time after it.
  const missing = detachedWithin(detached, { to });
  const json = toPageJson(page, (label) => toLabelJson(label, client), missing);
  return { ...json, complete: page.complete };
}

/** Reads slice after slice until the page is full, nothing is left or the bounds are met. */
export async function walkLabels(
  limit: number,
  cursor: LabelPosition | undefined,
  readSlice: (before: LabelPosition | undefined, rowsMax: number) => Promise<LabelSlice>,
): Promise<LabelsPage> {
  const endMs = performance.now() + WALK_MS_MAX;
  const items: StoredLabel[] = [];
  let before = cursor;
  for (let slices = 0; slices < SLICES_MAX; slices++) {
    if (slices > 0 && performance.now() > endMs) break;
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
