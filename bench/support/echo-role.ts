/**
 * HTTP without a store: parses each body and answers as the API would, and answers each GET with a made-up
 * score or page of scores. `node echo-role.ts api`
 */
import { newTransactionId } from '../../src/core/accept/prepare-transactions.ts';
import { servePlainly } from './plain-service.ts';

const PAGE_ROWS = 50;

const SCORE = {
  transaction_id: newTransactionId(Date.now()),
  account_id: 'account_4711',
  corridor: 'US-EG',
  created_at: new Date().toISOString(),
  scored_at: new Date().toISOString(),
  score: 620,
  risk: 0.62,
  probability: null,
  verdict: 'review',
  reasons: [{ code: 'AMOUNT_OVER_HABIT', detail: 'A reason as long as most.', contribution: 120 }],
  rule_set: 'default@4',
  model: null,
  attempts: 1,
  degradation: 0,
};
const PAGE = { items: Array.from({ length: PAGE_ROWS }, () => SCORE), next_cursor: null };

await servePlainly({
  port: Number(process.env['PORT']),
  accept: async (inputs) => inputs.map(() => newTransactionId(Date.now())),
  read: (url) => (url.includes('?') ? PAGE : SCORE),
  scored: () => 0,
  close: async () => undefined,
});
