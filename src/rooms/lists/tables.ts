/** When the rows of the tables of lists end. */
import type { Retention } from '../../kit/duties/purge.ts';

export const tables: readonly Retention[] = [
  { tables: ['lists', 'list_imports', 'reference_lists'], ends: 'never: a row a list or import' },
  {
    tables: ['list_entries', 'reference_entries'],
    ends: 'never: about 0.4 kB an entry, as a list can be asked as it was',
  },
];
