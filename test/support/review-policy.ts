/** The policy of review that the migration puts in force. */
import { readFileSync } from 'node:fs';
import { reviewPolicySchema } from '../../src/domain/review-policy.ts';

const migration = readFileSync('sql/0035_create_review_cases.sql', 'utf8');

export const FIRST_POLICY = reviewPolicySchema.parse(
  JSON.parse(/values \('engine', '(\{[\s\S]*?\})'\);/.exec(migration)?.[1] ?? ''),
);
