/** The policy of review that the migrations put in force. */
import { readFileSync } from 'node:fs';
import { reviewPolicySchema } from '../../src/rooms/review/review-policy.ts';

const migration = readFileSync('sql/0035_create_review_cases.sql', 'utf8');
const [, made = ''] = /values \('engine', '(\{[\s\S]*?\})'\);/.exec(migration) ?? [];
// As sql/0044 renames it.
const renamed = made
  .replaceAll('amount_usd_above', 'amount_above')
  .replaceAll('four_eyes_amount_usd', 'four_eyes_amount');

export const FIRST_POLICY = reviewPolicySchema.parse({ currency: 'USD', ...JSON.parse(renamed) });
