/**
 * Goal: a corridor that works off a backlog far behind the live traffic of the same merchant has profiles of its own, so that
 * neither rebuilds the other's, and each transaction counts once in the vectors of both. Method: folds over one real Redis and
 * Postgres by turns; each vector is held against one that is recomputed from Postgres alone.
 */
import { test } from 'vitest';
import {
  BACKLOG_MS,
  expectExact,
  foldByTurns,
  STEP_MS,
  startFarBehind,
} from '../support/far-behind.ts';

const TIMEOUT_MS = 120_000;

test(
  'a backlog and live traffic of one merchant do not rebuild each other, in one worker',
  () => foldByTurns(1),
  TIMEOUT_MS,
);

test(
  'a row that comes late to a rebuilt profile counts in it, and in the earlier profile',
  async () => {
    const { rig, ours, theirs, backlog, nextLive } = await startFarBehind();
    await using _ = rig;
    await expectExact(rig, ours, backlog.slice(0, 100));
    await expectExact(rig, theirs, await nextLive(20));
    for (const worker of [ours, theirs, ours]) {
      const late = await rig.store([
        { createdAtMs: BACKLOG_MS + 110 * STEP_MS + 1, merchantId: 'm', accountId: 'late' },
      ]);
      await expectExact(rig, worker, late);
      await expectExact(rig, ours, await nextLive(5));
      await expectExact(rig, theirs, await nextLive(5));
      await expectExact(rig, ours, backlog.slice(120, 140));
    }
  },
  TIMEOUT_MS,
);
