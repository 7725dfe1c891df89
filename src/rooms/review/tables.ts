/** When the rows of the tables of the review end. */
import { OLD, purgeRows, type Retention, rowsBefore } from '../../kit/duties/purge.ts';

export const tables: readonly Retention[] = [
  { tables: ['review_intake'], ends: 'once their cases are open: they are work' },
  {
    tables: ['review_cases', 'review_notes'],
    setting: 'RISK_REVIEW_RETENTION_DAYS',
    ends: 'after the case was closed, its notes with it; an open case is work and stays',
    purges: [
      purgeRows(
        'review_cases',
        rowsBefore(
          'review_cases',
          'closed_at',
          `${OLD} and not market.is_held(account_id, created_at)`,
        ),
        (config) => [config.RISK_REVIEW_RETENTION_DAYS],
      ),
    ],
  },
  {
    tables: ['final_decisions'],
    ends: 'never: the newest stands on its transaction; about 0.4 kB a decision',
  },
  { tables: ['review_policies'], ends: 'never: a case names the version that placed it' },
  { tables: ['exchange_rates'], ends: 'never: a row a currency and day' },
];
