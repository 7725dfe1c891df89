/** Ends of the wait for a score, after which nothing keeps running. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FindScore, waitForScore } from '../../../../src/core/accept/accept-one.ts';
import type { ScoreJson } from '../../../../src/core/domain/score-record.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const SCORE: ScoreJson = {
  ...{ transaction_id: '0199d2c8-5e70-7a30-b05e-0f2f8a1f8a11', account_id: 'a', corridor: 'DE-FR' },
  ...{ created_at: '2026-11-21T12:00:00.000Z', scored_at: '2026-11-21T12:00:00.010Z' },
  ...{ score: 12, risk: 0.012, probability: null, verdict: 'approve', reasons: [] },
  ...{ rule_set: 'rules@1', model: null, attempts: 1, degradation: 0 },
};

/** A wait of a second; `reply` is what the worker may publish. */
function wait(findScore: FindScore, hasReply = true) {
  const { promise: score, resolve: reply } = Promise.withResolvers<ScoreJson>();
  const cancel = vi.fn();
  const find = vi.fn(findScore);
  const waited = waitForScore({
    ...{
      transactionId: SCORE.transaction_id,
      findScore: find,
      waitMs: 1000,
      isInVain: () => false,
    },
    reply: hasReply ? { score, cancel } : undefined,
  });
  return { waited, reply, cancel, find };
}

test('an outage costs a turn; a bug ends the wait', async () => {
  const failures = [new Failure('unavailable', 'POSTGRES_AWAY', 'away'), new Error('bug')];
  const { waited } = wait(() => Promise.reject(failures.shift()));
  const refused = expect(waited).rejects.toThrow('bug');
  await vi.advanceTimersByTimeAsync(400);
  await refused;
  expect(failures).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
