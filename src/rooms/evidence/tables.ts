/** When the rows of the tables of evidence end. */
import type { Retention } from '../../kit/duties/purge.ts';

export const tables: readonly Retention[] = [
  {
    tables: ['evidence_logs', 'evidence_entries', 'evidence_tiles'],
    ends: 'never: they prove rows of other tables',
  },
  { tables: ['evidence_intake'], ends: 'once their scores are sealed' },
  { tables: ['checkpoint_intake'], ends: 'once the deliveries to webhooks are made' },
];
