/** Lists that rules may ask, of the market and of every market. */
import { rowsOf } from '../../../kit/database/statement.ts';

export type KnownList = { readonly name: string; readonly effect: string };

export const readKnownLists = rowsOf<KnownList>(
  'read-known-lists',
  `select name, effect from market.lists union all select name, effect from shared.reference_lists order by name`,
);
