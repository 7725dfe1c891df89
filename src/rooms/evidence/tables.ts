/** When the rows of the tables of evidence end. */
import type { Retention } from '../../kit/duties/retention.ts';

export const tables: readonly Retention[] = [
  {
    tables: ['evidence_logs', 'evidence_entries', 'evidence_tiles'],
    ends: 'never: they prove what other tables have',
  },
  { tables: ['evidence_intake'], ends: 'once it is sealed: it is work' },
];
