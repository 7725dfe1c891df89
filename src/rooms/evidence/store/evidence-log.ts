/** The tables of the log: its row, its leaves and its tiles. */
import { addEvents } from '../../../core/events.ts';
import {
  byteaArray,
  float8Array,
  int2Array,
  textArray,
} from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { firstOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Kind, Leaf, NewSet } from '../log/contents.ts';
import { EMPTY_ROOT, type ReadTile, type Tile } from '../log/tree.ts';

export type LogRow = {
  readonly logId: number;
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** The last sealed line of the audit log. */
  readonly auditId: string;
  /** Since when no ids go to the outbox, as nobody seals; null while ids do. */
  readonly gapFrom: Date | null;
  /** Whether this log is the newest of the market, which alone takes leaves. */
  readonly isNewest: boolean;
  readonly checkpoint: string | null;
  readonly refused: string | null;
};

/** Time after the last sealing in which ids go to the outbox. Longer: more rows that nobody takes; shorter: gaps sooner. */
const KEPT = `interval '7 days'`;

/**
 * A gap begins so long before workers stop adding ids, as the clock of a worker may be ahead or behind. Shorter: a score without a
 * leaf may be older than the gap. Longer: the gap names more scores that have a leaf.
 */
const MARGIN = `interval '1 hour'`;

const COLUMNS = `log_id as "logId", origin, size::float8 as size, root, audit_id::text as "auditId", checkpoint, refused,
  case when sealed_at < now() - ${KEPT} + ${MARGIN} then sealed_at + ${KEPT} - ${MARGIN} end as "gapFrom",
  log_id = (select max(log_id) from market.evidence_logs) as "isNewest"`;

/** Whether ids of new scores go to the outbox. */
export const IS_SEALING = `from market.evidence_logs where sealed_at > now() - ${KEPT}`;

const lockStatement = firstOf<LogRow, [origin: string]>(
  'lock-evidence-log',
  `select ${COLUMNS} from market.evidence_logs where origin = $1 for update`,
);

const beginStatement: Statement = {
  name: 'begin-evidence-log',
  text: 'insert into market.evidence_logs (origin, root) values ($1, $2) on conflict do nothing',
};

/**
 * Locks the row of a log until the commit, and makes the row of a new log.
 * @throws Failure where the log is not the newest, which alone readers see
 */
export async function lockLog(query: Query, origin: string): Promise<LogRow> {
  let known = await lockStatement(query, origin);
  if (known === undefined) {
    await query(beginStatement, [origin, EMPTY_ROOT]);
    known = await lockStatement(query, origin);
  }
  if (known === undefined) throw new Error(`the row of the log ${origin} is gone`);
  if (known.isNewest) return known;
  const why = `the log ${origin} has a successor, so RISK_EVIDENCE_ORIGIN must name the successor or a new log`;
  throw new Failure('permanent', 'EVIDENCE_ORIGIN', why);
}

/** The newest log. */
export const readNewestLog = firstOf<LogRow>(
  'read-evidence-log',
  `select ${COLUMNS} from market.evidence_logs order by log_id desc limit 1`,
);

/** The newest log, and whether rows wait or the log is to be touched: one statement, where a step takes many. */
export const lookAtLog = firstOf<LogRow & { readonly hasWork: boolean }>(
  'look-at-evidence-log',
  `select ${COLUMNS}, sealed_at < now() - interval '1 hour'
                      or exists (select from market.outbox_evidence)
                      or exists (select from market.audit_log a where a.audit_id > l.audit_id) as "hasWork"
     from market.evidence_logs l order by log_id desc limit 1`,
);

/** A leaf of anything but scores. */
export type NewEntry = {
  readonly kind: Exclude<Kind, 'scores'>;
  readonly subject: string;
  readonly leaf: Leaf;
};

const insertEntries: Statement = {
  name: 'insert-evidence-entries',
  text: `insert into market.evidence_entries (log_id, position, kind, subject, leaf)
         select $1, $2::bigint + nth - 1, kind, subject, leaf
           from unnest($3::text[], $4::text[], $5::text[]) with ordinality as e (kind, subject, leaf, nth)`,
};
const insertSetsStatement: Statement = {
  name: 'insert-evidence-scores',
  text: `insert into market.evidence_entries (log_id, position, kind, leaf, ids, hashes, scored_from, scored_to)
         select $1, $2::bigint + nth - 1, 'scores', leaf, ids, hashes, to_timestamp(from_ms / 1000), to_timestamp(to_ms / 1000)
           from unnest($3::text[], $4::bytea[], $5::bytea[], $6::float8[], $7::float8[])
                with ordinality as e (leaf, ids, hashes, from_ms, to_ms, nth)`,
};
const putTiles: Statement = {
  name: 'put-evidence-tiles',
  text: `insert into market.evidence_tiles (log_id, level, tile, hashes)
         select $1, level, tile, hashes
           from unnest($2::smallint[], $3::bigint[], $4::bytea[]) as t (level, tile, hashes)
         on conflict (log_id, level, tile) do update set hashes = excluded.hashes`,
};
const moveStatement: Statement = {
  name: 'move-evidence-log',
  text: `update market.evidence_logs
            set size = $4, root = $5, audit_id = $6, sealed_at = now()
          where log_id = $1 and size = $2 and root = $3 returning log_id`,
};

type Moved = {
  readonly size: number;
  readonly root: Buffer;
  readonly auditId: string;
};

/** @returns false where the row no longer has the size and the root of `log` */
export async function appendToLog(
  query: Query,
  log: LogRow,
  moved: Moved,
  { sets, lines }: { readonly sets: readonly NewSet[]; readonly lines: readonly NewEntry[] },
  tiles: readonly Tile[],
): Promise<boolean> {
  const to = [moved.size, moved.root, moved.auditId];
  const found = await query(moveStatement, [log.logId, log.size, log.root, ...to]);
  if (found.length === 0) return false;
  if (sets.length > 0) {
    await query(insertSetsStatement, [
      log.logId,
      log.size,
      textArray(sets.map(({ leaf }) => leaf.text)),
      byteaArray(sets.map(({ ids }) => ids)),
      byteaArray(sets.map(({ hashes }) => hashes)),
      float8Array(sets.map(({ scoredFromMs }) => scoredFromMs)),
      float8Array(sets.map(({ scoredToMs }) => scoredToMs)),
    ]);
  }
  if (lines.length > 0) {
    await query(insertEntries, [
      log.logId,
      log.size + sets.length,
      textArray(lines.map(({ kind }) => kind)),
      textArray(lines.map(({ subject }) => subject)),
      textArray(lines.map(({ leaf }) => leaf.text)),
    ]);
  }
  await query(putTiles, [
    log.logId,
    int2Array(tiles.map(({ level }) => level)),
    tiles.map(({ tile }) => tile),
    byteaArray(tiles.map(({ hashes }) => hashes)),
  ]);
  return true;
}

export const touchLog = rowsOf<object, [logId: number]>(
  'touch-evidence-log',
  `update market.evidence_logs set sealed_at = now()
    where log_id = $1 and sealed_at < now() - interval '1 hour'`,
);
const putCheckpoint = rowsOf<object, [logId: number, note: string]>(
  'publish-evidence',
  'update market.evidence_logs set checkpoint = $2, refused = null where log_id = $1',
);
/** Makes a checkpoint the newest of its log, and tells it to webhooks that take it. */
export async function storeCheckpoint(
  query: Query,
  { logId, origin, size }: LogRow,
  note: string,
  signedMs: number,
): Promise<void> {
  await putCheckpoint(query, logId, note);
  const data = { origin, size, checkpoint: note };
  const id = `checkpoint_${logId}_${size}`;
  await addEvents(query, [{ id, type: 'evidence.checkpoint', at: new Date(signedMs), data }]);
}
export const storeRefusal = rowsOf<object, [logId: number, why: string | null]>(
  'refuse-evidence',
  'update market.evidence_logs set refused = $2 where log_id = $1 and refused is distinct from $2',
);

const readTileStatement = firstOf<{ hashes: Buffer }, [logId: number, level: number, tile: number]>(
  'read-evidence-tile',
  'select hashes from market.evidence_tiles where log_id = $1 and level = $2 and tile = $3',
);

/** Reads each tile once; a missing tile is empty. */
export function tileReader(query: Query, logId: number): ReadTile {
  const read = new Map<string, Promise<Buffer>>();
  return (level, tile) => {
    const key = `${level}/${tile}`;
    const known = read.get(key);
    if (known !== undefined) return known;
    const found = readTileStatement(query, logId, level, tile).then(
      (row) => row?.hashes ?? Buffer.alloc(0),
    );
    read.set(key, found);
    return found;
  };
}

export type EntryRow = {
  readonly position: number;
  readonly kind: Kind;
  readonly subject: string | null;
  readonly leaf: string;
  readonly ids: Buffer | null;
  readonly hashes: Buffer | null;
};

const ENTRY = 'position::float8 as position, kind, subject, leaf, ids, hashes';
export const readEntries = rowsOf<EntryRow, [logId: number, from: number, to: number]>(
  'read-evidence-entries',
  `select ${ENTRY} from market.evidence_entries where log_id = $1 and position >= $2 and position < $3 order by position`,
);
export const findEntry = firstOf<EntryRow, [logId: number, kind: Kind, subject: string]>(
  'find-evidence-entry',
  `select ${ENTRY} from market.evidence_entries where log_id = $1 and kind = $2 and subject = $3 and kind <> 'scores'`,
);

/** Batches whose range has this time of scoring. */
export const findSets = rowsOf<EntryRow, [logId: number, scoredAtMs: number]>(
  'find-evidence-scores',
  `select ${ENTRY} from market.evidence_entries
    where log_id = $1 and to_timestamp($2::float8 / 1000) between scored_from and scored_to`,
);
export const readGaps = rowsOf<EntryRow, [logId: number, size: number]>(
  'read-evidence-gaps',
  `select ${ENTRY} from market.evidence_entries where log_id = $1 and kind = 'gap' and position < $2`,
);
