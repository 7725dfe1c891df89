/** A transaction and its score, as every example of the document has them. */
import { FEATURE_SCHEMA } from '../domain/feature-schema.ts';
import type { ScoreJson } from '../domain/score-record.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { FoundTransactionJson, StoredTransactionJson } from '../domain/transaction-record.ts';

export const TRANSACTION_ID = '01a1f84a-95c0-7000-8000-00000000002a';

/** Members that are stored as they are sent. */
const common = {
  account_id: 'acc_17',
  merchant_id: 'm_9',
  amount: '125.50',
  currency: 'USD',
  corridor: 'US-EG',
  created_at: '2026-11-20T09:30:00.000Z',
  type: 'payment',
  ip: '203.0.113.7',
  device_id: 'device-4f2a',
  country: 'US',
  channel: 'web',
  metadata: { order: 1001 },
};

export const transactionInput: KeyedTransactionInput = {
  idempotency_key: 'order-1001',
  ...common,
};

/** A second one for batches. */
export const secondInput: KeyedTransactionInput = {
  idempotency_key: 'order-1002',
  account_id: 'acc_18',
  merchant_id: 'm_9',
  amount: '12',
  currency: 'USD',
  corridor: 'US-EG',
};

export const storedTransaction: StoredTransactionJson = {
  transaction_id: TRANSACTION_ID,
  status: 'scored',
  client: 'shop',
  ...common,
  received_at: '2026-11-20T09:30:00.120Z',
};

export const score: ScoreJson = {
  transaction_id: TRANSACTION_ID,
  account_id: 'acc_17',
  corridor: 'US-EG',
  created_at: '2026-11-20T09:30:00.000Z',
  scored_at: '2026-11-20T09:30:00.158Z',
  score: 870,
  risk: 0.87,
  probability: null,
  verdict: 'decline',
  reasons: [
    {
      code: 'VELOCITY_COUNT_1H',
      detail: '14 transactions within an hour, usually 0.6',
      contribution: 445,
    },
    {
      code: 'AMOUNT_OVER_HABIT',
      detail: "Amount 125.50 is 3.1 times this account's usual 40.48",
      contribution: 425,
    },
  ],
  rule_set: 'default@4',
  model: null,
  attempts: 1,
  degradation: 0,
};

export const foundTransaction: FoundTransactionJson = {
  ...storedTransaction,
  score,
  label: null,
};

export const lineResults = [
  { index: 0, status: 'duplicate', transaction_id: TRANSACTION_ID },
  {
    index: 1,
    status: 'invalid',
    errors: [{ pointer: '/amount', detail: "must be greater than zero, not '0'" }],
  },
  {
    done: true,
    accepted: 0,
    duplicates: 1,
    refused: 1,
  },
];

/** Members of answers by their names, as every example of the document has them. */
export const MEMBERS: Readonly<Record<string, unknown>> = {
  ...common,
  action: 'case.claim',
  assignee: 'Ann',
  attempts: 1,
  author: 'Ann',
  breaker: 'redis:open',
  cause: 'approval',
  client: 'shop',
  code: 'VELOCITY_COUNT_1H',
  complete: true,
  contribution: 445,
  cure: 'Correct the cause, then replay.',
  degradation: 0,
  description: 'Many more transactions within an hour than this account usually makes.',
  destination: 'EG',
  detail: '14 transactions within an hour, usually 0.6',
  differing: [],
  dispute_sources: ['chargeback', 'bank'],
  error_code: 'SCORING_FAILED',
  feature: 'count_1h',
  feature_names: ['amount', 'amount_log'],
  feature_schema: FEATURE_SCHEMA,
  features: ['count_1h', 'usual_1h'],
  format: 'xgboost-json',
  from: '2026-11-01T00:00:00.000Z',
  golden_source: 'training',
  id: 'velocity-count-1h',
  identity: 'Ann',
  key_id: 'k7Qd2mXa',
  known_later: ['count_1h'],
  list: 'stolen-devices',
  market: 'market_0',
  market_amount: '125.50',
  market_currency: 'USD',
  max: '125.50',
  message: 'Payments to Egypt are paused.',
  milder_ids: [TRANSACTION_ID],
  model: 'fraud@2026-11-20',
  model_id: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  name: 'count_1h',
  note: 'Called the cardholder',
  officer: 'Ann',
  owner: 'Ann',
  pointer: '/rules/0/when',
  probability: 0.29,
  reason: 'a wave of stolen cards',
  reasons: ['VELOCITY_COUNT_1H'],
  request: '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f',
  reviewer: 'Ann',
  risk: 0.87,
  roles: ['analyst'],
  rule: 'velocity-count-1h',
  rule_set: 'default@4',
  runbook: 'HighQueueDepth',
  score: 870,
  session_id: '4fQd2mXa1',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  signal: 'queue_entries',
  state: 'active',
  stream: '{market_0:US-EG:0}:transactions',
  status: 'scored',
  stricter_ids: [TRANSACTION_ID],
  subject: 'fraud@2026-11-20',
  sum: '642.10',
  summary: 'Many more transactions within an hour than this account usually makes.',
  tag: '"2-9f86d081884c7d65"',
  to: 'canary:5',
  token: 'tok_0f3a5c7e91b24d6688aa00ccee113355',
  transaction_id: TRANSACTION_ID,
  unit: 'transactions',
  url: 'https://shop.example/risk-events',
  vector_crc32: '5f0c2a91',
  verdict: 'decline',
  version: 1,
  who: 'Ann',
};
