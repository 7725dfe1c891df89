/**
 * What must hold once everything has come to rest, whatever was killed: the client's ledger against
 * Postgres and Redis. Knows nothing of the faults.
 */
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import type { Stores } from '../../bench/support/services.ts';
import type { Ledger } from './ledger.ts';
import { checkProfiles } from './profiles.ts';
import { countWaiting, readScoredEvents } from './streams.ts';

/** One statement about the run; `ok` is false when it is a breach. */
export type Check = {
  readonly check: string;
  readonly found: number;
  readonly expected: string;
  readonly ok: boolean;
};

export type CheckOptions = {
  readonly stores: Stores;
  readonly ledger: Ledger;
  /** False after Redis was wiped: events of before are gone, as they may be. */
  readonly eventsKept: boolean;
};

export async function checkAtRest(options: CheckOptions): Promise<Check[]> {
  const { stores, ledger } = options;
  await loadLedger(stores, ledger);
  return [
    ...checkLedger(ledger),
    ...(await checkStored(stores, ledger)),
    ...(await checkQuiet(stores)),
    ...(await checkEvents(options)),
    ...(await checkCounted(stores)),
  ];
}

const zero = (check: string, found: number): Check => ({
  ...{ check, found, expected: '0' },
  ok: found === 0,
});
const exactly = (check: string, found: number, expected: number): Check => ({
  ...{ check, found, expected: String(expected) },
  ok: found === expected,
});
const atLeast = (check: string, found: number, least: number): Check => ({
  ...{ check, found, expected: `≥ ${least}` },
  ok: found >= least,
});

/** The ledger as a temporary table, so that SQL can hold it against what is stored. */
async function loadLedger({ database }: Stores, ledger: Ledger): Promise<void> {
  await database.query('drop table if exists pg_temp.ledger');
  await database.query('create temporary table ledger (key text, transaction_id uuid)');
  const lines = function* () {
    for (const [key, id] of ledger.entries) yield `${key}\t${id}\n`;
  };
  await pipeline(lines, database.query(copyFrom('copy ledger from stdin')));
  await database.query('create index on ledger (transaction_id)');
  await database.query('analyze ledger');
}

function checkLedger({ counts }: Ledger): Check[] {
  return [
    atLeast('acknowledged to the client', counts.acknowledged, 1),
    exactly('sent and never acknowledged', counts.sent - counts.acknowledged, 0),
    zero('keys answered with two transactions', counts.contradictions),
  ];
}

const STORED = `
  select (select count(*)::int from ledger l
           where not exists (select from transactions t where t.transaction_id = l.transaction_id)) as missing,
         (select count(*)::int from transactions t
           where not exists (select from ledger l where l.transaction_id = t.transaction_id)) as ghosts,
         (select count(*)::int from ledger l
           where not exists (select from scores s where s.transaction_id = l.transaction_id)) as lost,
         (select count(*)::int - count(distinct transaction_id)::int from scores) as doubled,
         (select count(*)::int from scores s
           where not exists (select from ledger l where l.transaction_id = s.transaction_id)) as invented,
         (select count(*)::int from dead_letters) as dead_letters,
         (select count(*)::int from ingest_batches) as open_batches,
         (select count(*)::int from ledger l
           where not exists (select from idempotency_keys k
                              where k.idempotency_key = l.key and k.transaction_id = l.transaction_id)) as keys_missing,
         (select count(*)::int from idempotency_keys) as keys`;

type StoredRow = {
  readonly missing: number;
  readonly ghosts: number;
  readonly lost: number;
  readonly doubled: number;
  readonly invented: number;
  readonly dead_letters: number;
  readonly open_batches: number;
  readonly keys_missing: number;
  readonly keys: number;
};

async function checkStored({ database }: Stores, ledger: Ledger): Promise<Check[]> {
  const { rows } = await database.query<StoredRow>(STORED);
  const [row] = rows;
  if (row === undefined) throw new Error('one row was expected');
  return [
    zero('acknowledged without a transaction', row.missing),
    zero('lost: acknowledged without a score', row.lost),
    zero('doubled: score rows beyond one', row.doubled),
    zero('transactions nobody was told of', row.ghosts),
    zero('scores of unknown transactions', row.invented),
    zero('dead letters', row.dead_letters),
    zero('open ingest batches', row.open_batches),
    zero('keys that name another transaction', row.keys_missing),
    exactly('idempotency keys', row.keys, ledger.counts.acknowledged),
  ];
}

async function checkQuiet(stores: Stores): Promise<Check[]> {
  const waiting = await countWaiting(stores);
  return [
    zero('entries left in streams', waiting.entries),
    zero('entries pending', waiting.pending),
    zero('retries waiting', waiting.retries),
  ];
}

async function checkEvents({ stores, ledger, eventsKept }: CheckOptions): Promise<Check[]> {
  if (!eventsKept) return [];
  const { ids, events } = await readScoredEvents(stores);
  let missing = 0;
  for (const id of ledger.entries.values()) if (!ids.has(id)) missing++;
  return [
    zero('transactions without a scored event', missing),
    atLeast('scored events', events, ledger.counts.acknowledged),
  ];
}

/** Each transaction counts once in its account's and its merchant's profile. */
async function checkCounted(stores: Stores): Promise<Check[]> {
  const { account, merchant } = await checkProfiles(stores);
  return [
    zero('account profiles unlike Postgres', account.different),
    atLeast('account profiles compared', account.equal, 1),
    zero('merchant profiles unlike Postgres', merchant.different),
    atLeast('merchant profiles compared', merchant.equal, 1),
  ];
}
