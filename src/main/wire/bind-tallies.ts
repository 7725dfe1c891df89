/**
 * Keeps the tallies by day and the durable tallies of merchants, as a duty: one worker does it, beside ingest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { merchantReachDays } from '../../domain/history.ts';
import { DAY_MS } from '../../domain/utc-bucket.ts';
import type { Config } from '../../runtime/config.ts';
import type { Database } from '../../store/database/pool.ts';
import type { Leadership } from '../../store/maintenance/leadership.ts';
import { mergeIncrements } from '../../store/tallies/day-tallies.ts';
import { createTallies, type Tallies } from '../../store/tallies/fold-tallies.ts';

/** A rebuild of a tallied merchant counts its tallies and the rows that were stored within this interval. */
const FOLD_EVERY_MS = 2000;
/** Pause between steps while rows wait, so that folding old rows does not slow new ones. */
const STEP_EVERY_MS = 20;

export function bindTallies(config: Config, database: Database, leadership: Leadership) {
  const lead = leadership.of('tallies');
  const { transaction } = lead.writes;
  // Only moving the checkpoint needs the epoch: adopting a merchant twice changes nothing.
  const tallies = createTallies({ query: database.query, transaction }, Math.random);
  const reachMs = merchantReachDays(config.RISK_LABEL_MATURITY_DAYS) * DAY_MS;
  return {
    name: 'fold-tallies',
    everyMs: FOLD_EVERY_MS,
    run: async (signal: AbortSignal) => {
      await lead.run(async () => {
        await mergeAll(lead.writes, signal);
        await keepTallies(tallies, signal);
        await tallies.adopt(Date.now() - reachMs);
      });
    },
  };
}

async function mergeAll(
  database: Pick<Database, 'transaction'>,
  signal: AbortSignal,
): Promise<void> {
  while ((await mergeIncrements(database)) && !signal.aborted) {
    await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Folds stored rows, and one chunk of older rows of adopted merchants per step, until neither is left. */
async function keepTallies(tallies: Tallies, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { isBehind } = await tallies.fold();
    const isFilling = await tallies.fill();
    if (signal.aborted || !(isBehind || isFilling)) return;
    await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
