/**
 * Keeps the tallies by day and the durable tallies of merchants, as a duty: one worker does it, beside ingest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../kit/config/config.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Leadership } from '../../kit/duties/leadership.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { merchantReachDays } from '../domain/history.ts';
import { hasIncrements, mergeIncrements } from '../store/tallies/day-tallies.ts';
import { createTallies, type Tallies } from '../store/tallies/fold-tallies.ts';

/** A rebuild of a tallied merchant counts its tallies and the rows that were stored within this interval. */
const FOLD_EVERY_MS = 2000;
/** Pause between steps while rows wait, so that folding old rows does not slow new ones. */
const STEP_EVERY_MS = 20;

export function bindTallies(config: Config, database: Database, leadership: Leadership) {
  const lead = leadership.of('care');
  const { transaction } = lead.writes;
  // Only moving the checkpoint needs the epoch: adopting a merchant twice changes nothing.
  const tallies = createTallies({ query: database.query, transaction }, Math.random);
  const reachMs = merchantReachDays(config.RISK_LABEL_MATURITY_DAYS) * DAY_MS;
  return {
    name: 'fold-tallies',
    everyMs: FOLD_EVERY_MS,
    run: async (signal: AbortSignal) => {
      await lead.run(async () => {
        await tendTallies({ query: database.query, transaction }, tallies, signal);
        await tallies.adopt(Date.now() - reachMs);
      });
    },
  };
}

/**
 * A step each of merging increments, of folding stored rows and of filling an adopted merchant, until nothing is left: merging
 * goes on however many older rows wait.
 */
export async function tendTallies(
  database: Pick<Database, 'query' | 'transaction'>,
  tallies: Pick<Tallies, 'fold' | 'fill'>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const isMerging =
      (await hasIncrements(database.query)).found && (await mergeIncrements(database));
    const { isBehind } = await tallies.fold();
    const isFilling = await tallies.fill();
    if (signal.aborted || !(isMerging || isBehind || isFilling)) return;
    await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
