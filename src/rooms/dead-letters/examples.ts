/** Examples of transactions whose scoring was given up. */
import { TRANSACTION_ID } from '../../core/accept/examples.ts';
import type { PurgeResult, ReplayResult } from './change.ts';
import type { DeadLetterGroupJson, DeadLetterJson, DeadLetterWithEntryJson } from './queries.ts';

export const DEAD_LETTER_ID = '01a1f8a1-8f60-7000-8000-000000000007';

export const deadLetter: DeadLetterJson = {
  dead_letter_id: DEAD_LETTER_ID,
  stream: '{market_0:US-EG:0}:transactions',
  message: { transaction_id: TRANSACTION_ID, account_id: 'acc_17', retry_count: 4 },
  corridor: 'US-EG',
  error: 'scoring failed four times',
  error_code: 'SCORING_FAILED',
  failed_at: '2026-11-20T11:05:00.000Z',
  replayed_at: null,
  purged_at: null,
};

export const deadLetterWithEntry: DeadLetterWithEntryJson = {
  ...deadLetter,
  entry: `{"transaction_id":"${TRANSACTION_ID}","account_id":"acc_17"}`,
};

export const deadLetterGroup: DeadLetterGroupJson = {
  error_code: 'SCORING_FAILED',
  corridor: 'US-EG',
  dead_letters: 3,
  unreadable: 0,
  first_failed_at: '2026-11-20T11:05:00.000Z',
  last_failed_at: '2026-11-20T11:09:30.000Z',
  sample_ids: [DEAD_LETTER_ID],
};

/** Selects at most ten of a corridor. */
export const deadLetterCommand = { error_code: 'SCORING_FAILED', corridor: 'US-EG', limit: 10 };

export const replayResult: ReplayResult = {
  replayed: 3,
  appended: 3,
  remaining: 0,
  not_replayable: 0,
  failed_before: '2026-11-20T12:00:00.000Z',
  refused: [],
};

export const purgeResult: PurgeResult = {
  purged: 2,
  remaining: 0,
  failed_before: '2026-11-20T12:00:00.000Z',
  refused: [{ dead_letter_id: DEAD_LETTER_ID, reason: 'replayed' }],
};
