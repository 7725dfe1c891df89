/**
 * Evidence that is sealed beside the faults of a scenario (`--with-sealing`). Each score must be sealed once, and the log must continue
 * every checkpoint that any worker published.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARKET } from '../../../bench/support/market.ts';
import { openPool } from '../../../src/kit/database/pool.ts';
import { readHead } from '../../../src/rooms/evidence/log/checkpoint.ts';
import { contradiction } from '../../../src/rooms/evidence/seal/published.ts';
import { lookAtLog, tileReader } from '../../../src/rooms/evidence/store/evidence-log.ts';
import type { Disturbance } from './disturbance.ts';
import type { Stage } from './scenario.ts';

const TIMEOUT_MS = 10_000;
const FOLDER = 'evidence';
/** Keys are those of a folder that is thrown away, and processes of another user read them. */
const OPEN = 0o777;

function settingsOf(folder: string): Record<string, string> {
  const published = join(folder, FOLDER);
  mkdirSync(published, { mode: OPEN });
  const paths = [generateKeyPairSync('ed25519'), generateKeyPairSync('ml-dsa-44')].map(
    ({ privateKey }, nth) => {
      const path = join(folder, `key-${nth}.pem`);
      writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      return path;
    },
  );
  return {
    RISK_EVIDENCE_KEYS: paths.join(','),
    RISK_EVIDENCE_FOLDER: published,
    RISK_EVIDENCE_CHECKPOINT_SECONDS: '1',
  };
}

/** Every checkpoint that was published; a line that a kill cut off has none. */
function publishedNotes(folder: string): string[] {
  const published = join(folder, FOLDER);
  const texts = readdirSync(published).map((name) => readFileSync(join(published, name), 'utf8'));
  return texts.join('\n').split('\n').flatMap(noteOf);
}

function noteOf(line: string): string[] {
  try {
    return [(JSON.parse(line) as { readonly note: string }).note];
  } catch {
    return [];
  }
}

const COUNTS = `
  with sealed as (select substring(ids from 16 * nth + 1 for 16) as id
                    from evidence_entries, generate_series(0, octet_length(ids) / 16 - 1) nth where kind = 'scores')
  select (select count(*) from evidence_logs)::int as logs,
         (select max(size) from evidence_logs)::int - (select count(distinct position) from evidence_entries)::int as gaps,
         (select count(*) - count(distinct id) from sealed)::int as twice,
         (select count(*) from scores where uuid_send(transaction_id) not in (select id from sealed))::int as unsealed`;
type Counts = Readonly<Record<'logs' | 'gaps' | 'twice' | 'unsealed', number>>;

async function judgeLog({ services, engine, folder, bar, remark, until }: Stage): Promise<void> {
  await using database = openPool({
    ...{ url: services.databaseUrl, market: MARKET, role: 'chaos', connectionsMax: 1 },
    ...{ namedStatements: false, connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: 6 * TIMEOUT_MS },
  });
  const { query } = database;
  await until('everything is under a checkpoint', async () => {
    const log = await lookAtLog(query);
    return log?.hasWork === false && readHead(log.checkpoint ?? '')?.size === log.size;
  });
  const [counts] = await services.query<Counts>(COUNTS);
  const log = await lookAtLog(query);
  if (counts === undefined || log === undefined) throw new Error('no log was begun');
  bar('logs of evidence', counts.logs, { exactly: 1 });
  bar('leaves that are missing', counts.gaps, { exactly: 0 });
  bar('scores without a leaf', counts.unsealed, { exactly: 0 });
  bar('scores sealed twice', counts.twice, { exactly: 0 });
  const [notes, read] = [publishedNotes(folder), tileReader(query, log.logId)];
  let contradicted = 0;
  for (const note of notes) if (await contradiction(log, note, read)) contradicted++;
  bar('published checkpoints', notes.length, { atLeast: 1 });
  bar('published checkpoints that the log contradicts', contradicted, { exactly: 0 });
  const failure = await engine.command(['evidence', 'check'], {}).then(
    () => undefined,
    (error: Error & { readonly stdout?: string }) => error.stdout ?? error.message,
  );
  if (failure !== undefined) remark(`evidence check: ${failure.slice(0, 1000)}`);
  bar('failures of evidence check', failure === undefined ? 0 : 1, { exactly: 0 });
}

/** Scores have leaves that are stored once the log began, so it begins before the engine. */
const begin = 'insert into evidence_logs (origin, root) values ($1, sha256($2))';
const countLeaves = 'select coalesce(max(size), 0)::int as leaves from evidence_logs';

export const sealing: Disturbance = {
  ...{ counted: 'leaves beside the faults', isForSteadyLoad: false, settings: settingsOf },
  prepare: async ({ query }) => void (await query(begin, [`risk-engine/${MARKET}`, ''])),
  start: ({ services }) => ({
    end: async () => {
      const [row] = await services.query<{ leaves: number }>(countLeaves);
      return row?.leaves ?? 0;
    },
  }),
  judge: judgeLog,
};
