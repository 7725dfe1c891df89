/**
 * Monthly partitions of transactions, scores and labels. They are made ahead by maintenance and on the way in
 * by ingest; both go through one advisory lock, so two makers never clash. A partition is built beside
 * its parent and attached, which takes no lock that readers or writers would wait for.
 */
import type { Database, Query } from './pool.ts';

export const PARTITIONED_TABLES = ['transactions', 'scores', 'labels'] as const;

/** Months made ahead of now; fewer than this many is what `risk doctor` warns of. */
export const MONTHS_AHEAD = 2;

/** Rows inserted before a partition is vacuumed, so that index-only scans and freezing keep up. */
const VACUUM_INSERT_THRESHOLD_ROWS = 200_000;
/** Session-independent key of the lock: any constant that nothing else in the database uses. */
const PARTITION_LOCK = 7_212_001;

/** A UTC month as its number of months since year 0: `2026-11` is 2026 * 12 + 10. */
export type Month = number;

export function monthOf(epochMs: number): Month {
  const date = new Date(epochMs);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** First moment of a month, epoch milliseconds. */
export function monthStartMs(month: Month): number {
  return Date.UTC(Math.floor(month / 12), month % 12);
}

export function partitionName(table: string, month: Month): string {
  const year = String(Math.floor(month / 12)).padStart(4, '0');
  return `${table}_y${year}m${String((month % 12) + 1).padStart(2, '0')}`;
}

const listPartitions = {
  name: 'list-partitions',
  text: `select child.relname as name
           from pg_inherits
           join pg_class child on child.oid = inhrelid
          where inhparent = any (array[${PARTITIONED_TABLES.map((table) => `to_regclass('${table}')`).join(', ')}])`,
};

/** Names of all attached partitions of the market's tables. */
export async function listPartitionNames(query: Query): Promise<Set<string>> {
  const rows = await query<{ name: string }>(listPartitions);
  return new Set(rows.map((row) => row.name));
}

/** Makes the partitions of these months that do not exist yet; returns the names of those made. */
export async function ensurePartitions(
  database: Pick<Database, 'transaction'>,
  months: Iterable<Month>,
): Promise<string[]> {
  const wanted = [...new Set(months)].sort((a, b) => a - b);
  return await database.transaction(async (query) => {
    await query({ name: 'lock-partitions', text: 'select pg_advisory_xact_lock($1)' }, [
      PARTITION_LOCK,
    ]);
    const existing = await listPartitionNames(query);
    const made: string[] = [];
    for (const month of wanted) {
      for (const table of PARTITIONED_TABLES) {
        const name = partitionName(table, month);
        if (existing.has(name)) continue;
        await attachPartition(query, table, name, month);
        made.push(name);
      }
    }
    return made;
  });
}

/** Names come from partitionName alone, never from input, so they are safe to write into DDL. */
async function attachPartition(
  query: Query,
  table: string,
  name: string,
  month: Month,
): Promise<void> {
  const from = new Date(monthStartMs(month)).toISOString();
  const to = new Date(monthStartMs(month + 1)).toISOString();
  const ddl = [
    `create table ${name} (like ${table} including defaults including constraints)`,
    `alter table ${name} add constraint ${name}_range check (created_at >= '${from}' and created_at < '${to}')`,
    `alter table ${name} set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = ${VACUUM_INSERT_THRESHOLD_ROWS}, autovacuum_analyze_scale_factor = 0.1)`,
    `alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`,
    `alter table ${name} drop constraint ${name}_range`,
  ];
  for (const text of ddl) await query({ name: '', text });
}

/**
 * Remembers which months exist, so that the way in asks the database once a month and process.
 * A partition that is dropped behind its back shows as an insert without a partition; then `forget`.
 */
export function createPartitionGuard(database: Database): {
  ensure: (createdAtMs: Iterable<number>) => Promise<void>;
  forget: () => void;
} {
  const known = new Set<Month>();
  return {
    async ensure(createdAtMs) {
      const missing = new Set<Month>();
      // Of the month of the time before: a calendar's arithmetic a transaction costs more than two comparisons.
      let [from, to] = [0, 0];
      for (const at of createdAtMs) {
        if (at >= from && at < to) continue;
        const month = monthOf(at);
        [from, to] = [monthStartMs(month), monthStartMs(month + 1)];
        if (!known.has(month)) missing.add(month);
      }
      if (missing.size === 0) return;
      await ensurePartitions(database, missing);
      for (const month of missing) known.add(month);
    },
    forget: () => known.clear(),
  };
}
