/**
 * Goal: two workers share a backlog far behind the live traffic, and what comes late on either side of the horizon, and a label,
 * reach what is folded behind a live profile.
 * Method: as in far-behind.test.ts.
 */
import { expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { invalidateProfiles } from '../../src/core/stream/profiles/invalidate-profiles.ts';
import { commitLabel } from '../property/profile/arrivals.ts';
import { expectExact, foldByTurns, STEP_MS, startFarBehind } from '../support/far-behind.ts';

const TIMEOUT_MS = 120_000;

test(
  'a backlog and live traffic of one merchant do not rebuild each other, with a worker each',
  () => foldByTurns(2),
  TIMEOUT_MS,
);

test(
  'what comes late on either side of the horizon counts in both profiles',
  async () => {
    const { rig, ours, theirs, live, nextLive } = await startFarBehind();
    await using _ = rig;
    await expectExact(rig, theirs, await nextLive(5));
    // By ways of a list of 1,024 to 1,280 rows, whose first 256 have too few rows before them.
    for (let back = 760; back <= 1300; back += 60) {
      const near = live.slice(-back, -back + 40);
      const [first] = near as [Transaction];
      await expectExact(rig, ours, near.slice(0, 5));
      const late = { createdAtMs: first.createdAtMs + 5 * STEP_MS + 1, merchantId: 'm' };
      await expectExact(rig, theirs, await rig.store([{ ...late, accountId: `late_${back}` }]));
      await expectExact(rig, ours, near.slice(6, 12));
      await expectExact(rig, ours, near.slice(30));
      await expectExact(rig, theirs, await nextLive(3));
    }
    expect(await ours.rebuilds('merchant', 'behind')).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test(
  'a label reaches what is folded behind a profile',
  async () => {
    const { rig, ours, backlog } = await startFarBehind();
    await using _ = rig;
    const [fraud] = backlog as [Transaction];
    await expectExact(rig, ours, backlog.slice(0, 100));
    const label = { label: 'fraud', delayMs: 1, source: 'bank', amountToMedian: 2 } as const;
    await commitLabel(rig.pool, fraud, label, Date.now());
    await invalidateProfiles(rig.commands, rig.database.market, [{ kind: 'merchant', id: 'm' }]);
    await expectExact(rig, ours, backlog.slice(100, 200));
    await expectExact(rig, ours, backlog.slice(200, 300));
  },
  TIMEOUT_MS,
);
