/** Records of archives of rolled-back markets: rows of shared.archived_markets, and reports in the audit log. */
import { recordChange } from '../../kit/audit/audit-log.ts';
import { byCommand } from '../../kit/command/stores.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { firstOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { type Archive, countRows } from './archive-file.ts';
import { sha256 } from './part-file.ts';

const insertArchived = rowsOf<
  object,
  [
    location: string,
    market: string,
    begunAt: string,
    rows: number,
    bytes: number,
    keys: string | undefined,
  ]
>(
  'insert-archived-market',
  `insert into shared.archived_markets (location, market, begun_at, row_count, bytes, subject_keys)
   values ($1, $2, $3, $4, $5, $6) on conflict (location, begun_at) do nothing`,
);

/** @param keys where the keys of subjects are; undefined: there are none */
export async function listArchive(
  query: Query,
  { market, begun_at: begunAt, tables }: Archive,
  location: string,
  keys: string | undefined,
): Promise<void> {
  const bytes = tables.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.bytes, 0);
  await insertArchived(query, location, market, begunAt, countRows(tables), bytes, keys);
}

/** Notes that the files are immutable. */
export const noteLock = rowsOf<object, [market: string, begunAt: string, until: Date]>(
  'note-lock-of-archived-market',
  'update shared.archived_markets set lock_until = $3 where market = $1 and begun_at = $2',
);

export const noteRestore = rowsOf<object, [market: string, begunAt: string]>(
  'note-restore-of-market',
  'update shared.archived_markets set restored_at = now() where market = $1 and begun_at = $2',
);

export const listArchivedMarkets = rowsOf<{
  market: string;
  begun_at: string;
  rows: number;
  bytes: number;
  lock_until: string | null;
  restored_at: string | null;
  location: string;
  subject_keys: string | null;
}>(
  'list-archived-markets',
  `select market, ${timeText('begun_at')} as begun_at, row_count::float8 as rows, bytes::float8 as bytes, ${timeText('lock_until')} as lock_until,
          ${timeText('restored_at')} as restored_at, location, subject_keys
     from shared.archived_markets order by market, begun_at`,
);

const findReport = firstOf<object, [market: string, archive: string]>(
  'find-rollback-report',
  `select from market.audit_log
    where action = 'rollback.end' and subject = $1 and after ->> 'archive_sha256' = $2`,
);

/** Writes the report, once, to the audit log of the first other market. */
export async function reportRollback(
  {
    market,
    openMarket,
  }: { readonly market: string; readonly openMarket: (market: string) => Database },
  archive: Archive,
  after: Archive['others'],
): Promise<void> {
  const [first] = after;
  if (first === undefined) return;
  const digest = sha256(JSON.stringify([archive.begun_at, archive.tables]));
  const toReport = (all: Archive['others']) => all.map(({ sample, ...figures }) => figures);
  await using opened = openMarket(first.market);
  await opened.transaction(async (query) => {
    if ((await findReport(query, market, digest)) !== undefined) return;
    await recordChange(query, byCommand('archive rollback'), {
      action: 'rollback.end',
      subject: market,
      before: { others: toReport(archive.others) },
      after: {
        archive_sha256: digest,
        tables: archive.tables.length,
        rows: countRows(archive.tables),
        keys_removed: archive.keys_removed,
        topics_removed: archive.topics_removed,
        losses: archive.losses,
        requested_by: archive.requested_by,
        confirmed_by: archive.confirmed_by,
        others: toReport(after),
      },
    });
  });
}
