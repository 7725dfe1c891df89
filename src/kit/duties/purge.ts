/**
 * Removes rows whose retention is over, a bounded number a statement. Ages are by Postgres' clock, as that of
 * a worker may be wrong.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { Query, Statement } from '../database/pool.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { FIRST_ID } from '../words/cursor.ts';
import { toError } from '../words/failure.ts';
import type { Leadership, Writes } from './leadership.ts';

/**
 * Rows that one statement examines: each ends far within the statement timeout, and other work runs between.
 */
export const PURGE_STEP_ROWS_MAX = 2000;

export type Purge = {
  readonly table: string;
  readonly statement: Statement;
  /** Removes a step's rows, from the oldest on where `after` is absent; without a retention `days` is empty. */
  readonly step: (query: Query, days: readonly number[], after?: Position) => Promise<PurgeStep>;
};
type PurgeStep = {
  readonly rows: number;
  /** Start of the next step; null after the last. */
  readonly next: Position | null;
};
/** The last examined row of a walk over dead letters: some of them stay. */
export type Position = { readonly closedAt: Date; readonly deadLetterId: string };

export const START: Position = {
  closedAt: new Date(0),
  deadLetterId: FIRST_ID,
};
/** $1 is the retention in days. */
export const OLD = "now() - $1::integer * interval '1 day'";

/**
 * When the rows of tables end. Rows that decide, prove or audit are removed by people alone; by-products by age, after a
 * setting; and owed work when it is done. Core and each room list their own tables; test/integration/retention.test.ts
 * compares the lists with the catalogue.
 */
export type Retention = {
  readonly tables: readonly string[];
  readonly ends: string;
  /** Days after which rows are removed by age; absent: none are. */
  readonly setting?: keyof Config;
  readonly purges?: readonly Purge[];
};

const PURGE_EVERY_MS = 600_000;
/** Pause between steps, so that removing old rows does not slow new ones. */
const STEP_EVERY_MS = 20;

/** @param which finds the rows to remove by an index, the oldest first */
export function purgeRows(table: string, which: string): Purge {
  const text = `with gone as (
             delete from market.${table} where ctid = any (array(select ctid ${which}))
             returning 1)
           select count(*)::int4 as rows from gone`;
  return purgeBy(table, text);
}

/** @param text removes up to PURGE_STEP_ROWS_MAX rows, the oldest first, and returns how many as `rows` */
export function purgeBy(table: string, text: string): Purge {
  const statement: Statement = { name: `purge-${table.replaceAll('_', '-')}`, text };
  return {
    table,
    statement,
    async step(query, days) {
      const [row] = await query<{ rows: number }>(statement, days);
      const rows = row?.rows ?? 0;
      return { rows, next: rows < PURGE_STEP_ROWS_MAX ? null : START };
    },
  };
}

/** Removes the oldest rows with a column before a time. */
export const purgeBefore = (table: string, column: string, time: string): Purge =>
  purgeRows(
    table,
    `from market.${table} where ${column} < ${time} order by ${column} limit ${PURGE_STEP_ROWS_MAX}`,
  );

/**
 * Removes rows whose retention is over, as a duty: one worker does it, in small steps, so that ingest goes on.
 * @param isOnHold whether a legal hold keeps the whole market
 */
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
        for (const { purges = [], setting } of ended) {
          const days = setting === undefined ? [] : [Number(config[setting])];
          for (const purge of purges) {
            const count = (rows: number) => rowsPurged.inc({ table: purge.table }, rows);
            // A table that fails does not keep the others from being purged.
            await purgeTable(purge, lead.writes, days, signal, count).catch((error: unknown) => {
              failures.push(toError(error));
            });
          }
        }
        if (failures[0] !== undefined) throw failures[0];
      });
    },
  };
}

async function purgeTable(
  { step }: Purge,
  { query }: Writes,
  days: readonly number[],
  signal: AbortSignal,
  count: (rows: number) => void,
): Promise<void> {
  let { rows, next } = await step(query, days);
  count(rows);
  while (next !== null && !signal.aborted) {
    await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => undefined);
    ({ rows, next } = await step(query, days, next));
    count(rows);
  }
}
