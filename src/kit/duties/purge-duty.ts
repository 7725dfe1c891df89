/**
 * Removes rows whose retention is over, as a duty: one worker does it, in small steps, so that ingest goes on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { Query } from '../database/pool.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { toError } from '../words/failure.ts';
import type { Leadership, Writes } from './leadership.ts';
import type { Purge } from './purge.ts';
import type { Retention } from './retention.ts';

const PURGE_EVERY_MS = 600_000;
/** Pause between steps, so that removing old rows does not slow new ones. */
const STEP_EVERY_MS = 20;

/** @param isOnHold whether a legal hold keeps the whole market */
export function bindPurge(
  config: Config,
  leadership: Leadership,
  { rowsPurged }: Pick<Metrics, 'rowsPurged'>,
  retentions: readonly Retention[],
  isOnHold: (query: Query) => Promise<boolean>,
) {
  const lead = leadership.of('care');
  return {
    name: 'purge',
    everyMs: PURGE_EVERY_MS,
    run: async (signal: AbortSignal) => {
      await lead.run(async () => {
        const failures: Error[] = [];
        // A hold on the market stops only purges that a setting starts.
        const ended = (await isOnHold(lead.writes.query))
          ? retentions.filter(({ setting }) => setting === undefined)
          : retentions;
        for (const purge of ended.flatMap(({ purges = [] }) => purges)) {
          const count = (rows: number) => rowsPurged.inc({ table: purge.table }, rows);
          // A table that fails does not keep the others from being purged.
          await purgeTable(purge, lead.writes, config, signal, count).catch((error: unknown) => {
            failures.push(toError(error));
          });
        }
        if (failures[0] !== undefined) throw failures[0];
      });
    },
  };
}

async function purgeTable(
  { step }: Purge,
  { query }: Writes,
  config: Config,
  signal: AbortSignal,
  count: (rows: number) => void,
): Promise<void> {
  let { rows, next } = await step(query, config);
  count(rows);
  while (next !== null && !signal.aborted) {
    await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
    ({ rows, next } = await step(query, config, next));
    count(rows);
  }
}
