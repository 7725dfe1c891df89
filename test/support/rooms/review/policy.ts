/** The policy of review that a new database has in force. */
import { readFileSync } from 'node:fs';
import { reviewPolicySchema } from '../../../../src/rooms/review/policy.ts';

const baseline = readFileSync('sql/0001_market.sql', 'utf8');
const [, made = ''] = /values \('engine', '(\{[\s\S]*?\})'\);/.exec(baseline) ?? [];

export const FIRST_POLICY = reviewPolicySchema.parse(JSON.parse(made));
