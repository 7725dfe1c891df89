/** When the rows of personal fields and subjects end. */
import type { Retention } from '../../kit/duties/purge.ts';

export const tables: readonly Retention[] = [
  {
    tables: ['personal_fields', 'personal_state'],
    ends: 'never: stored tokens stay tokens',
  },
  { tables: ['subjects'], ends: 'when somebody erases the subject' },
  { tables: ['erasures'], ends: 'never: the ledger is compared with these rows' },
];
