/**
 * Snapshots of profiles in Postgres (L3): a row a party, as a rebuild made it. A snapshot has every row that database transactions
 * before its `folded_to` stored, so with the rows that were stored since it equals a rebuild. A label voids the snapshots of its
 * transaction's parties by a trigger; a commit of late rows says how far back readers look for them.
 */
import { byteaArray, textArray, unsized, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { PastTransaction } from '../../domain/history.ts';
import type { PartyKind, Transaction } from '../../domain/transaction.ts';
import { comparePositions } from '../../domain/transaction.ts';
import { CREATED_SINCE } from '../late-rows.ts';
import { ofMonths } from '../within-months.ts';
import {
  ACCOUNTS,
  isOf,
  MERCHANTS,
  namesOf,
  numbersColumn,
  type PastQuery,
  type PastRow,
  pastColumns,
  SHARED,
} from './past-queries.ts';

/** A moment. It belongs to the snapshots that are made of what was read from then on; an earlier moment is as right. */
export type SnapshotMark = {
  /** Every database transaction before this id had ended. */
  readonly foldedTo: string;
  /** No database transaction from `foldedTo` on began before this time, as Postgres writes it. */
  readonly rowsFrom: string;
};

/** A snapshot, and the rows stored since, in rising order and without the point. The snapshot may contain some of these rows already. */
export type SnapshotPast = {
  readonly snapshot: Uint8Array;
  readonly rows: readonly PastTransaction[];
};

export type NewSnapshot = SnapshotMark & { readonly party: string; readonly snapshot: Uint8Array };

/** A party that was not seen for so long has hardly a snapshot that is worth its bytes. */
export const SNAPSHOT_DAYS = 60;
/** With more rows than these a rebuild from rows reads as many pages. */
const ROWS_SINCE_MAX = 64;
/** How far back rows are read. Less: an import of older rows costs the snapshots before it; more: a reading locks more months. */
const ROWS_SINCE_MS = 2 * SNAPSHOT_DAYS * DAY_MS;
/** A commit takes no longer: statements end within their time, which poolers may leave out. */
const COMMIT_SECONDS = `greatest(current_setting('statement_timeout')::interval, interval '10 seconds')`;
/**
 * Points of one reading: the snapshots of so many busy merchants, or of large accounts, are 5 MB as text. A party without a snapshot
 * costs 8 µs of processor time by 64 and 4 by 256.
 */
export const SNAPSHOTS_READ_MAX: Readonly<Record<PartyKind, number>> = {
  account: 256,
  merchant: 64,
  device: 256,
  address: 256,
};

/**
 * `is true` hides the bound from the planner, which would read the rows of all parties by the index of inserted_xid; the limit of a
 * single row hides the join, for which it would read all snapshots.
 */
const readStatement = (kind: PartyKind, { party }: Pick<PastQuery, 'party'>) =>
  ofMonths(
    `read-snapshots-${kind}`,
    (within, from) => `
    select p.point::int, case when coalesce(r.row, 1) = 1 and since.at >= ${from} then s.snapshot end as snapshot, ${pastColumns('r')}
           ${kind === 'account' ? `, ${numbersColumn('r', '$3')}` : ''}
      from unnest(${unsized('$1::text[]')}, $2::uuid[]) with ordinality as p (party, id, point)
      left join lateral (
        select s.* from market.profile_snapshots s
         where s.kind = '${kind}' and s.party = p.party and s.folded_at > now() - interval '${SNAPSHOT_DAYS} days'
           and s.folded_to <= pg_snapshot_xmax(pg_current_snapshot())
           and s.folded_to > coalesce((select e.voided_by from market.snapshot_voids e
                                        where e.kind = 'every' order by e.voided_by desc limit 1), '0')
           and not exists (select from market.snapshot_voids v
                            where v.kind = '${kind}' and v.party = s.party and v.voided_by >= s.folded_to)
         limit 1) s on true
      left join lateral (
        select ${CREATED_SINCE} as at offset 0) since on true
      left join lateral (
        select row_number() over () as row, t.*
          from market.transactions t
         where ${isOf(party, 's.party')} and t.created_at >= since.at and ${within('t')}
           and (t.inserted_xid >= s.folded_to) is true and t.transaction_id <> p.id
         limit ${ROWS_SINCE_MAX + 1}) r on true
     order by p.point`,
  );

const QUERIES = { account: ACCOUNTS, merchant: MERCHANTS, ...SHARED } as const;
const READS = {
  account: readStatement('account', ACCOUNTS),
  merchant: readStatement('merchant', MERCHANTS),
  device: readStatement('device', SHARED.device),
  address: readStatement('address', SHARED.address),
} as const;

/** A snapshot stands in the first row of its party; a party without rows since has a row without an id. */
type SnapshotRow = PastRow & { readonly snapshot: Buffer | null };

/**
 * The snapshots of the points' parties, in the order of the points; undefined where a rebuild has to read all rows.
 * @param points SNAPSHOTS_READ_MAX at most
 * @param numbers declared ones, which rows of accounts have
 */
export async function readSnapshots(
  query: Query,
  kind: PartyKind,
  points: readonly Transaction[],
  numbers: readonly string[] = [],
): Promise<(SnapshotPast | undefined)[]> {
  const parties = textArray(points.map(QUERIES[kind].partyOf));
  const ids = uuidArray(points.map(({ transactionId }) => transactionId));
  const nowMs = Date.now();
  const ofNow = READS[kind]({ fromMs: nowMs - ROWS_SINCE_MS, toMs: nowMs });
  const values = [parties, ids, ...namesOf(kind === 'account' ? { numbers } : {})];
  const found = Map.groupBy(await query<SnapshotRow>(ofNow, values), (row) => row.point);
  return points.map((_, at) => {
    const all = found.get(at + 1) ?? [];
    const snapshot = all.find((row) => row.snapshot !== null)?.snapshot ?? null;
    const rows = all.filter(({ transactionId }) => transactionId !== null);
    if (snapshot === null || rows.length > ROWS_SINCE_MAX) return undefined;
    return { snapshot, rows: rows.sort(comparePositions) };
  });
}

/**
 * When the oldest database transaction began that may still store rows. Postgres hides the times of other roles' sessions, and of
 * all where track_activities is off: of these, one that may store rows counts as old.
 */
const findOldest = onlyOf<Pick<SnapshotMark, 'rowsFrom'>>(
  'find-oldest-commit',
  `
    select greatest(now() - ${COMMIT_SECONDS}, min(case
             when coalesce(state, 'disabled') <> 'disabled' then xact_start
             when has_table_privilege(usesysid, 'market.transactions', 'insert') then '-infinity' end))::text as "rowsFrom"
      from pg_stat_activity where datname = current_database()`,
);

const readFoldedTo = onlyOf<Pick<SnapshotMark, 'foldedTo'>>(
  'read-folded-to',
  'select pg_snapshot_xmin(pg_current_snapshot())::text as "foldedTo"',
);

/** The oldest is found before: a database transaction that ends between the two is older than `foldedTo`, or was found. */
export async function readMark(query: Query): Promise<SnapshotMark> {
  const { rowsFrom } = await findOldest(query);
  return { rowsFrom, ...(await readFoldedTo(query)) };
}

// In the order of parties, so that writers wait for each other in place of a deadlock.
const storeStatement: Statement = {
  name: 'store-snapshots',
  text: `
    insert into market.profile_snapshots (kind, party, folded_to, folded_at, rows_from, snapshot)
    select $1, party, folded_to::xid8, now(), rows_from::timestamptz, snapshot
      from (select unnest($2::text[]) as party, unnest($3::text[]) as folded_to, unnest($4::text[]) as rows_from,
                   unnest($5::bytea[]) as snapshot) u
     order by party
        on conflict (kind, party) do update
       set folded_to = excluded.folded_to, folded_at = excluded.folded_at, rows_from = excluded.rows_from,
           snapshot = excluded.snapshot
     where profile_snapshots.folded_to < excluded.folded_to`,
};

/** @param snapshots of a party each */
export async function storeSnapshots(
  query: Query,
  kind: PartyKind,
  snapshots: readonly NewSnapshot[],
): Promise<void> {
  await query(storeStatement, [
    kind,
    textArray(snapshots.map(({ party }) => party)),
    textArray(snapshots.map(({ foldedTo }) => foldedTo)),
    textArray(snapshots.map(({ rowsFrom }) => rowsFrom)),
    byteaArray(snapshots.map(({ snapshot }) => snapshot)),
  ]);
}

/** Voids all snapshots: rows of many parties come or go. Part of the database transaction that changes the rows. */
export const voidSnapshots = rowsOf(
  'void-snapshots',
  "insert into market.snapshot_voids (kind, party) values ('every', '')",
);

const findForeign = firstOf<object>(
  'find-foreign-snapshots',
  `select 1 from (select folded_to from market.profile_snapshots order by folded_to desc limit 1) newest
          where folded_to > pg_snapshot_xmax(pg_current_snapshot())`,
);

/** Removes snapshots that a dump brought from another cluster, whose ids of database transactions are ahead of this one's. */
export async function removeForeignSnapshots(query: Query): Promise<void> {
  if ((await findForeign(query)) === undefined) return;
  await query({
    text: 'truncate market.profile_snapshots, market.snapshot_voids, market.late_rows',
  });
}
