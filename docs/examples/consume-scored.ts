/**
 * Reads `transaction.scored` (docs/events.md) with a consumer group and counts verdicts, each transaction once:
 *
 *   bin/risk-dev docs/examples/consume-scored.ts NAME REDIS_URL DATABASE_URL STREAM…
 *
 * It may be stopped at any moment. A batch is committed before it is acknowledged, so nothing is lost: what was not
 * acknowledged is read again. The statement that does the work also keeps the transaction ids, so nothing is done twice.
 */
import { Redis } from 'ioredis';
import pg from 'pg';

const GROUP = 'verdict-counter';
const VERSION = '2';
const EVENTS_A_BATCH = 10;
const BLOCK_MS = 1000;
/** Events that a consumer has held for longer go to another one: that consumer is gone. */
const ABANDONED_MS = 60_000;

const TABLES = `
  create table if not exists handled_scores (transaction_id uuid primary key, handled_at timestamptz not null default now());
  create table if not exists verdict_counts (verdict text primary key, transactions bigint not null)`;

/** In the order of ids, so that two consumers never wait for each other. */
const COUNT_ONCE = `
  with fresh as (
    insert into handled_scores (transaction_id) select id from unnest($1::uuid[]) as u (id) order by id
    on conflict do nothing returning transaction_id
  )
  insert into verdict_counts (verdict, transactions)
  select verdict, count(*) from (select distinct on (id) id, verdict from unnest($1::uuid[], $2::text[]) as u (id, verdict)) r
    join fresh on fresh.transaction_id = r.id
   group by verdict order by verdict
  on conflict (verdict) do update set transactions = verdict_counts.transactions + excluded.transactions`;

type Row = readonly [
  transactionId: string,
  accountId: string,
  merchantId: string,
  score: number,
  risk: number,
  verdict: string,
  reasonCodes: readonly string[],
];
/** Fields are null where the event was trimmed while this consumer held it. */
type Event = readonly [id: string, fields: readonly string[] | null];

function rowsOf([id, fields]: Event): Row[] {
  if (fields === null) return [];
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
  if (field('v') !== VERSION) throw new Error(`event ${id} has version ${field('v')}`);
  return JSON.parse(field('scores')) as Row[];
}

async function main(name = '', redisUrl = '', databaseUrl = '', ...streams: string[]) {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const database = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  await database.query(TABLES);
  let isStopping = false;
  process.once('SIGTERM', () => {
    isStopping = true;
  });

  const handle = async (stream: string, events: readonly Event[]) => {
    const rows = events.flatMap(rowsOf);
    await database.query(COUNT_ONCE, [rows.map(([id]) => id), rows.map((row) => row[5])]);
    await redis.xack(stream, GROUP, ...events.map(([id]) => id));
  };
  /** @param after `>`: new events; `0`: those that this consumer was given and has not acknowledged */
  const read = async (after: '>' | '0'): Promise<boolean> => {
    const answer = await redis.xreadgroup(
      ...(['GROUP', GROUP, name, 'COUNT', EVENTS_A_BATCH, 'BLOCK', BLOCK_MS] as const),
      ...(['STREAMS', ...streams, ...streams.map(() => after)] as const),
    );
    const found = (answer ?? []) as [stream: string, events: Event[]][];
    for (const [stream, events] of found) if (events.length > 0) await handle(stream, events);
    return found.some(([, events]) => events.length > 0);
  };
  const adopt = async () => {
    for (const stream of streams) {
      const args = [stream, GROUP, name, ABANDONED_MS, '0-0', 'COUNT', EVENTS_A_BATCH] as const;
      const [, events] = (await redis.xautoclaim(...args)) as [string, Event[]];
      if (events.length > 0) await handle(stream, events);
    }
  };

  let isBehind = true;
  while (!isStopping) {
    try {
      if (isBehind) isBehind = await read('0');
      else if (!(await read('>'))) await adopt();
    } catch (error) {
      // A stream that is new, ended or was lost has no group: it begins with the oldest event there is.
      if (!String(error).includes('NOGROUP')) throw error;
      for (const stream of streams) {
        await redis.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM').catch((failure: unknown) => {
          if (!String(failure).includes('BUSYGROUP')) throw failure;
        });
      }
    }
  }
  redis.disconnect();
  await database.end();
}

await main(...process.argv.slice(2));
