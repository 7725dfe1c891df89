/** Tallies by day and the durable tallies of merchants as a duty: one worker keeps them, beside the way in. */
import { setTimeout as delay } from 'node:timers/promises';
import { merchantReachDays } from '../domain/history.ts';
import { DAY_MS } from '../domain/utc-bucket.ts';
import type { Config } from '../runtime/config.ts';
import { mergeIncrements } from '../store/day-tallies.ts';
import { createTallies, type Tallies } from '../store/fold-tallies.ts';
import type { Leadership } from '../store/leadership.ts';
import type { Database } from '../store/pool.ts';

/** What a rebuild of a tallied merchant counts beside its tallies is what was stored in this time. */
const FOLD_EVERY_MS = 2000;
/** Between steps while rows wait: what has waited long must not take Postgres from what is new. */
const STEP_EVERY_MS = 20;

export function bindTallies(config: Config, database: Database, leadership: Leadership) {
  const lead = leadership.of('tallies');
  const { transaction } = lead.writes;
  // Only what moves the checkpoint needs the epoch: a merchant that is adopted twice is adopted once.
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

/** Folds what was stored, and one chunk of what adopted merchants lack a step, until neither waits. */
async function keepTallies(tallies: Tallies, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { isBehind } = await tallies.fold();
    const isFilling = await tallies.fill();
    if (signal.aborted || !(isBehind || isFilling)) return;
    await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
