/** Personal fields that the market declares; no row where it declares none. */
import { rowsOf } from '../../kit/database/statement.ts';

export const readPersonalFields = rowsOf<{ field: string }>(
  'read-personal-fields',
  'select field from market.personal_fields order by field',
);
