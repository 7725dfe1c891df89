/**
 * Goal: a transaction that fails for its own reason is tried four times with growing waits and then set
 * aside; its neighbours do not notice. Method: a scorer that throws for some ids, on real services.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/kit/words/failure.ts';
import type { WorkerOverrides } from '../../src/main/worker.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const calling = (meets: (transactionId: string) => void): WorkerOverrides => ({
  beforeScore: ({ transactionId }) => meets(transactionId),
});

describe('retries', () => {
  test('give up one poisonous transaction of a hundred after four attempts', {
    retry: 2,
  }, async () => {
    const transactions = await rig.store(seeds(100));
    const poison = transactions[41]?.transactionId;
    const triedMs: number[] = [];
    const overrides = calling((id) => {
      if (id !== poison) return;
      triedMs.push(performance.now());
      throw new Error('poison');
    });
    await rig.append(transactions);
    rig.startWorker({ RISK_RETRY_BASE_MS: '400' }, overrides);
    expect(await rig.settled(100)).toMatchObject({ scored: 99, deadLetters: 1 });
    const gapsMs = triedMs.slice(1).map((at, index) => at - (triedMs[index] ?? 0));
    expect(gapsMs).toHaveLength(3);
    for (const [index, gapMs] of gapsMs.entries()) {
      const baseMs = 400 * 2 ** index;
      expect(gapMs).toBeGreaterThanOrEqual(baseMs / 2 - 2);
      // Added to the wait: the promoter's interval and the batch itself.
      expect(gapMs).toBeLessThan(baseMs + 1500);
    }
    const [row] = await rig.database.sql<Record<string, unknown>>(
      `select transaction_id, attempts, error_code, error, account_id, corridor from dead_letters`,
    );
    expect(row).toMatchObject({
      ...{ transaction_id: poison, attempts: 4, error_code: 'SCORING_FAILED', error: 'poison' },
      ...{ account_id: transactions[41]?.accountId, corridor: 'US-EG' },
    });
    const [copy] = await rig.commands.xrange(rig.stream.deadLetters, '-', '+');
    const message = {
      transaction_id: poison,
      account_id: transactions[41]?.accountId,
      retry_count: 4,
    };
    expect(JSON.parse(copy?.[1][3] ?? '')).toEqual(message);
  });

  test('stop once an attempt succeeds, and the score says which', async () => {
    const transactions = await rig.store(seeds(10));
    const moody = transactions[3]?.transactionId;
    let failures = 2;
    const overrides = calling((id) => {
      if (id === moody && failures-- > 0) throw new Error('not today');
    });
    await rig.append(transactions);
    rig.startWorker({}, overrides);
    expect(await rig.settled(10)).toMatchObject({ scored: 10, deadLetters: 0 });
    const attempts = `select attempts from scores where transaction_id = $1`;
    expect(await rig.database.sql(attempts, [moody])).toEqual([{ attempts: 3 }]);
  });

  test('are not for permanent failures', async () => {
    const transactions = await rig.store(seeds(5));
    let tries = 0;
    const overrides = calling((id) => {
      if (id !== transactions[0]?.transactionId) return;
      tries += 1;
      throw new Failure('permanent', 'NO_WAY', 'never');
    });
    await rig.append(transactions);
    rig.startWorker({}, overrides);
    expect(await rig.settled(5)).toMatchObject({ scored: 4, deadLetters: 1 });
    expect(tries).toBe(1);
  });

  test('bisect to what Postgres refuses', async () => {
    const transactions = await rig.store(seeds(100));
    const refused = transactions[77]?.transactionId;
    await rig.database.sql(
      `alter table scores add constraint refused check (transaction_id <> '${refused}')`,
    );
    await rig.append(transactions);
    rig.startWorker();
    expect(await rig.settled(100)).toMatchObject({ scored: 99, deadLetters: 1 });
    const dead = `select transaction_id, error_code, attempts from dead_letters`;
    expect(await rig.database.sql(dead)).toEqual([
      { transaction_id: refused, error_code: 'POSTGRES_23514', attempts: 1 },
    ]);
  });
});
