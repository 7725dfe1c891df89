/**
 * The promises that must hold once everything has come to rest, whatever was done: the invariants I1 to I11,
 * the client's ledger against Postgres and Redis. Knows nothing of the faults.
 */
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Ledger } from './ledger.ts';
import { checkProfiles } from './profiles.ts';
import { countReviews, type ReviewCounts } from './reviews.ts';
import { countWaiting, readScoredEvents, type Sessions } from './streams.ts';

/** Invariants, with the numbers that documents use. */
export const INVARIANTS = {
  I1: 'no loss: what was acknowledged is scored or a dead letter',
  I2: 'one score a transaction, one active dead letter at most, never both',
  I3: 'no ghosts: nothing stored that no client sent',
  I4: 'attempts without an answer converge: one key, one transaction, one answer',
  I5: 'quiet: nothing pending, waiting, open or unfinished is left',
  I6: 'audit log: ids from 1 on, none missing',
  I7: 'profiles are what Postgres says, each transaction counted once',
  I8: 'final is final: a score never changes and never goes away',
  I9: 'what the engine tells of itself is what the database holds',
  I10: 'a replay is answered with the same transaction and created_at',
  I11: 'one review case a transaction that needs one; its final decision, label and event are one',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** A statement about the run; `ok` is false when the statement is a breach. */
export type Check = {
  readonly invariant: Invariant | 'bar';
  readonly check: string;
  readonly found: number;
  readonly expected: string;
  readonly ok: boolean;
};

/** accepted = scored + dead-lettered + pending + lost, as the client counts accepted ones. */
export type Balance = {
  readonly accepted: number;
  readonly scored: number;
  readonly dead_lettered: number;
  readonly pending: number;
  readonly lost: number;
  readonly doubled: number;
  /** Scores in events beyond one for each transaction; consumers of events have to expect them. */
  readonly events_doubled: number;
};

export type Verdict = { readonly checks: readonly Check[]; readonly balance: Balance };

export type CheckOptions = {
  readonly databaseUrl: string;
  /** A session of its own: the ledger becomes a temporary table in it. */
  readonly database: pg.Client;
  readonly redis: Sessions['client'];
  readonly ledger: Ledger;
};

export async function checkAtRest(options: CheckOptions): Promise<Verdict> {
  const { database, redis, ledger, databaseUrl } = options;
  await loadLedger(database, ledger);
  const query: Sessions['query'] = async (sql, values) =>
    (await database.query(sql, values === undefined ? [] : [...values])).rows;
  const stores = { query, client: redis, databaseUrl };
  const [stored] = await query<StoredRow>(STORED);
  if (stored === undefined) throw new Error('one row was expected');
  const waiting = await countWaiting(stores);
  const { ids, events } = await readScoredEvents(stores);
  return {
    balance: {
      ...balanceOf(stored, ledger, waiting.entries + waiting.retries),
      events_doubled: events - ids.size,
    },
    checks: [
      ...checkStored(stored, ledger),
      ...checkAnswers(stored, ledger),
      ...checkQuiet(stored, waiting),
      ...checkEvents(ids, ledger),
      ...(await checkCounted(stores)),
      ...checkTold(stored, ledger),
      ...checkReviews(await countReviews(stores)),
    ],
  };
}

const zero = (invariant: Invariant, check: string, found: number): Check => ({
  ...{ invariant, check, found, expected: '0' },
  ok: found === 0,
});
const exactly = (invariant: Invariant, check: string, found: number, expected: number): Check => ({
  ...{ invariant, check, found, expected: String(expected) },
  ok: found === expected,
});
const atLeast = (invariant: Invariant, check: string, found: number, least: number): Check => ({
  ...{ invariant, check, found, expected: `≥ ${least}` },
  ok: found >= least,
});

async function copyInto(
  database: pg.Client,
  table: string,
  columns: string,
  lines: () => Iterable<string>,
): Promise<void> {
  await database.query(`drop table if exists pg_temp.${table}`);
  await database.query(`create temporary table ${table} (${columns})`);
  await pipeline(lines, database.query(copyFrom(`copy ${table} from stdin`)));
  await database.query(`analyze ${table}`);
}

/** Writes the ledger into temporary tables, so that SQL can compare it with the stores. */
async function loadLedger(database: pg.Client, ledger: Ledger): Promise<void> {
  const { condemned, entries, sent, seen, replays, reviewed } = ledger;
  await copyInto(
    database,
    'ledger',
    'key text, transaction_id uuid, condemned boolean',
    function* () {
      for (const [key, id] of entries) yield `${key}\t${id}\t${condemned.has(key)}\n`;
    },
  );
  await copyInto(database, 'sent', 'key text', function* () {
    for (const key of sent) yield `${key}\n`;
  });
  await copyInto(
    database,
    'seen',
    'transaction_id uuid, scored_at_ms float8, score int',
    function* () {
      for (const one of seen.values()) {
        yield `${one.transactionId}\t${one.scoredAtMs}\t${one.score}\n`;
      }
    },
  );
  await copyInto(database, 'reviewed', 'transaction_id uuid, may text[]', function* () {
    for (const [id, may] of reviewed) yield `${id}\t{${may.join(',')}}\n`;
  });
  await copyInto(
    database,
    'replays',
    'key text, transaction_id uuid, created_at_ms float8',
    function* () {
      for (const one of replays) yield `${one.key}\t${one.transactionId}\t${one.createdAtMs}\n`;
    },
  );
}

const ACTIVE = 'replayed_at is null and purged_at is null';
/** All keys of a run are of one client. */
const digestOf = (key: string) => `idempotency_digest('default', ${key})`;
const STORED = `
  with final as (
    select l.*, exists (select from scores s where s.transaction_id = l.transaction_id) as scored,
           exists (select from dead_letters d where d.transaction_id = l.transaction_id and ${ACTIVE}) as dead
      from ledger l
  )
  select (select count(*)::int from final where scored) as scored,
         (select count(*)::int from final where dead and not scored) as dead,
         (select count(*)::int from final where dead and scored) as both,
         (select count(*)::int from final where not scored and not dead) as lost,
         (select count(*)::int from final where dead and not condemned) as healthy_dead,
         (select count(*)::int from ledger l
           where not exists (select from transactions t where t.transaction_id = l.transaction_id)) as missing,
         (select count(*)::int - count(distinct transaction_id)::int from scores) as doubled,
         (select count(*)::int - count(distinct transaction_id)::int from dead_letters
           where transaction_id is not null and ${ACTIVE}) as dead_twice,
         (select count(*)::int from dead_letters where transaction_id is null) as unreadable,
         (select count(*)::int from idempotency_keys k
           where not exists (select from sent s where ${digestOf('s.key')} = k.digest)) as keys_unsent,
         (select count(*)::int from transactions t
           where not exists (select from idempotency_keys k where k.transaction_id = t.transaction_id)) as keyless,
         (select count(*)::int from scores s
           where not exists (select from transactions t where t.transaction_id = s.transaction_id)) as invented,
         (select count(*)::int from ledger l
           where not exists (select from idempotency_keys k
                              where k.digest = ${digestOf('l.key')} and k.transaction_id = l.transaction_id)) as keys_other,
         (select count(*)::int - count(distinct digest)::int from idempotency_keys)
           as keys_twice,
         (select coalesce(max(audit_id), 0)::int - count(*)::int from audit_log) as audit_missing,
         (select count(*)::int from open_rows) as open_rows,
         (select count(*)::int from transactions t
           where not exists (select from scores s where s.transaction_id = t.transaction_id)
             and not exists (select from dead_letters d where d.transaction_id = t.transaction_id and ${ACTIVE}))
           as unfinished,
         (select count(*)::int from seen
           where not exists (select from scores s where s.transaction_id = seen.transaction_id
                                and (extract(epoch from s.scored_at) * 1000)::float8 = seen.scored_at_ms
                                and s.score = seen.score)) as changed,
         (select count(*)::int from seen) as seen,
         (select count(*)::int from replays) as replays,
         (select count(*)::int from replays r
           where not exists (select from ledger l join transactions t using (transaction_id)
                              where l.key = r.key and l.transaction_id = r.transaction_id
                                and (extract(epoch from t.created_at) * 1000)::float8 = r.created_at_ms))
           as replays_other,
         (select count(*)::int from transactions) as all_transactions,
         (select count(*)::int from scores) as all_scores,
         (select count(distinct transaction_id)::int from dead_letters where replayed_at is null) as all_dead`;

type StoredRow = Readonly<
  Record<
    | ('scored' | 'dead' | 'both' | 'lost' | 'healthy_dead' | 'missing' | 'doubled' | 'dead_twice')
    | (
        | 'unreadable'
        | 'keys_unsent'
        | 'keyless'
        | 'invented'
        | 'keys_other'
        | 'keys_twice'
        | 'audit_missing'
        | 'open_rows'
      )
    | ('unfinished' | 'changed' | 'seen' | 'replays' | 'replays_other')
    | ('all_transactions' | 'all_scores' | 'all_dead'),
    number
  >
>;

/** A transaction that is neither final nor waiting is lost; one that waits may still become final. */
function balanceOf(
  row: StoredRow,
  { counts }: Ledger,
  waiting: number,
): Omit<Balance, 'events_doubled'> {
  const pending = Math.min(row.lost, waiting);
  return {
    ...{ accepted: counts.acknowledged, scored: row.scored, dead_lettered: row.dead, pending },
    ...{ lost: row.lost - pending, doubled: row.doubled },
  };
}

function checkStored(row: StoredRow, { counts }: Ledger): Check[] {
  return [
    atLeast('I1', 'acknowledged to the client', counts.acknowledged, 1),
    zero('I1', 'acknowledged without a transaction', row.missing),
    zero('I1', 'lost: acknowledged without a score or a dead letter', row.lost),
    zero('I1', 'healthy transactions among the dead letters', row.healthy_dead),
    exactly('I1', 'dead letters of unreadable entries', row.unreadable, counts.planted),
    zero('I2', 'doubled: score rows beyond one', row.doubled),
    zero('I2', 'doubled at the concurrent reader', counts.doubled),
    zero('I2', 'active dead letters beyond one', row.dead_twice),
    zero('I2', 'scored and an active dead letter at once', row.both),
    zero('I3', 'keys that no client sent', row.keys_unsent),
    zero('I3', 'transactions without a key', row.keyless),
    zero('I3', 'scores of unknown transactions', row.invented),
  ];
}

function checkAnswers(row: StoredRow, { counts }: Ledger): Check[] {
  const open = counts.sent - counts.acknowledged - counts.leftRefused - counts.leftUnknown;
  return [
    zero('I4', 'sent, neither acknowledged nor given up', open),
    zero('I4', 'keys answered with two transactions', counts.contradictions),
    zero('I4', 'keys that name another transaction', row.keys_other),
    zero('I4', 'keys with more than one transaction', row.keys_twice),
    zero('I4', 'answers that no fault excuses', counts.improper),
    zero('I8', 'scores that changed under the concurrent reader', counts.changed),
    zero('I8', 'scores that are not what the reader saw', row.changed),
    atLeast('I8', 'scores the concurrent reader saw', row.seen, 1),
    zero('I6', 'ids missing from the audit log', row.audit_missing),
    zero('I10', 'replays answered otherwise', row.replays_other),
    atLeast('I10', 'replays at rest', row.replays, 1),
  ];
}

type Waiting = Awaited<ReturnType<typeof countWaiting>>;

function checkQuiet(row: StoredRow, waiting: Waiting): Check[] {
  return [
    zero('I5', 'transactions without an end', row.unfinished),
    zero('I5', 'open rows', row.open_rows),
    zero('I5', 'entries left in streams', waiting.entries),
    zero('I5', 'entries pending', waiting.pending),
    zero('I5', 'retries waiting', waiting.retries),
  ];
}

/**
 * Events may repeat and none may be missing, except those before a wipe of Redis and those for which it had no
 * room.
 */
function checkEvents(ids: ReadonlySet<string>, ledger: Ledger): Check[] {
  if (ledger.wiped || ledger.crowded) return [];
  let missing = 0;
  for (const [key, id] of ledger.entries) if (!ids.has(id) && !ledger.condemned.has(key)) missing++;
  return [zero('I2', 'transactions without a scored event', missing)];
}

/** Each transaction counts once in its account's and its merchant's profile. */
async function checkCounted(stores: Sessions & { databaseUrl: string }): Promise<Check[]> {
  const { account, merchant, device, address } = await checkProfiles(stores);
  return [
    zero('I7', 'account profiles unlike Postgres', account.different),
    atLeast('I7', 'account profiles compared', account.equal, 1),
    zero('I7', 'merchant profiles unlike Postgres', merchant.different),
    zero('I7', 'device profiles unlike Postgres', device.different),
    zero('I7', 'address profiles unlike Postgres', address.different),
    atLeast('I7', 'merchant profiles compared', merchant.equal, 1),
  ];
}

function checkReviews(counts: ReviewCounts): Check[] {
  return [
    zero('I11', 'rows left that name transactions to review', counts.waiting),
    zero('I11', 'scores that ask for review without a case', counts.withoutCase),
    zero('I11', 'cases of a verdict that their score does not have', counts.withoutReason),
    zero('I11', 'decisions that never became final', counts.notClosed),
    zero('I11', 'final decisions whose case is not closed by them', counts.unclosed),
    zero('I11', 'decisions that became final twice', counts.twice),
    zero('I11', 'ids missing from the final decisions', counts.missing),
    zero('I11', 'final decisions without their one label', counts.unlabelled),
    zero('I11', 'labels of reviews without their one decision', counts.undecided),
    zero('I11', 'final decisions other than reviewers were answered', counts.otherwise),
  ];
}

/** Counters end with their process, so only the processes that report them are compared. */
function checkTold(row: StoredRow, { told }: Ledger): Check[] {
  const rows: readonly (readonly [string, number])[] = [
    ['accepted', row.all_transactions],
    ['scored', row.all_scores],
    ['dead_lettered', row.all_dead],
  ];
  const stated = rows.filter(([name]) => told[`status ${name}`] !== undefined);
  const counted = rows.filter(([name]) => told[`counter ${name}`] !== undefined);
  return [
    atLeast('I9', 'figures of /v1/status', stated.length, rows.length),
    ...stated.map(([name, is]) => exactly('I9', `status ${name}`, told[`status ${name}`] ?? 0, is)),
    ...counted.map(([name, is]) =>
      exactly('I9', `counter ${name}`, told[`counter ${name}`] ?? 0, is),
    ),
  ];
}
