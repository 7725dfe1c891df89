/** Reads what an engine that works has used so far, and what it stores; nothing is written. */
import { VERDICTS } from '../../../core/domain/score-record.ts';
import { readTotals } from '../../../core/store/tallies/day-tallies.ts';
import { profileKeyPattern } from '../../../core/stream/keys.ts';
import { listReports, type ReportAt, SILENT_MS } from '../../../core/stream/status/workers.ts';
import type { ApiOptions } from '../../../kit/client/api-client.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import {
  type RedisClient,
  throwRedisFailure,
  writableNodes,
} from '../../../kit/redis/connection.ts';
import { infoField } from '../../../kit/redis/facts.ts';
import { Failure, reasonOf } from '../../../kit/words/failure.ts';
import { serverSeconds } from '../processor-time.ts';

export type WorkerUsage = {
  readonly seconds: number;
  readonly scored: number;
  readonly state: 'works' | 'ends' | 'silent';
};
/** Workers that reported within the last minute, by name. */
export type Workers = ReadonlyMap<string, WorkerUsage>;

export type Usage = Awaited<ReturnType<typeof readUsage>>;

type Stores = { readonly database: Database; readonly redis: RedisClient; readonly market: string };

const METRICS_MS_MAX = 10_000;

/** Reads the seconds of processor time and the counts of transactions so far. @throws Failure */
export async function readUsage(api: Omit<ApiOptions, 'signal'>, stores: Stores) {
  const { database, redis } = stores;
  const [ofApi, workers, [backend], redisSeconds] = await Promise.all([
    readApi(api),
    readWorkers(stores),
    database.query<{ pid: number }>(backendStatement),
    readRedisSeconds(redis),
  ]);
  return {
    api: ofApi,
    workers,
    postgresSeconds: serverSeconds(backend?.pid ?? 0, 'postgres'),
    redisSeconds,
  };
}

/** @throws Failure */
export async function readWorkers({
  redis,
  market,
}: Pick<Stores, 'redis' | 'market'>): Promise<Workers> {
  const { reports, nowMs } = await listReports(redis, market);
  // The newest report of a worker is the last.
  return new Map(reports.map((report) => [report.report.name, toUsage(report, nowMs)]));
}

function toUsage({ report, atMs }: ReportAt, nowMs: number): WorkerUsage {
  const { scored, isDraining, processorSeconds } = report;
  const isSilent = nowMs - atMs > SILENT_MS;
  return {
    seconds: processorSeconds,
    scored: sumOf(Object.values(scored)),
    state: isDraining ? 'ends' : isSilent ? 'silent' : 'works',
  };
}

const backendStatement: Statement = { name: 'own-backend', text: 'select pg_backend_pid() as pid' };
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

async function readApi({ url, key, market, onRequest }: Omit<ApiOptions, 'signal'>) {
  onRequest?.();
  const answer = await fetch(new URL('/metrics', url), {
    headers: {
      ...(key !== undefined && { Authorization: `Bearer ${key}` }),
      ...(market !== undefined && { 'Risk-Market': market }),
    },
    signal: AbortSignal.timeout(METRICS_MS_MAX),
  }).catch((error: unknown) => {
    throw new Failure('unavailable', 'API_UNAVAILABLE', `${url}/metrics: ${reasonOf(error)}`);
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Failure('invalid', 'METRICS_REFUSED', `${url}/metrics answered ${answer.status}`);
  }
  const isPost = (line: string) =>
    line.includes('method="POST"') && line.includes('route="/v1/transactions');
  return {
    startedAt: sumLines(text, 'risk_process_start_time_seconds'),
    seconds: sumLines(text, 'risk_process_cpu_seconds_total'),
    accepted: sumLines(text, 'risk_transactions_accepted_total'),
    posts: sumLines(text, 'risk_http_request_duration_seconds_count', isPost),
  };
}

/** Sum of the lines of a metric in the text format of Prometheus. */
function sumLines(text: string, name: string, isMeant = (_: string) => true): number {
  const lines = text.split('\n').filter((line) => line.startsWith(name) && isMeant(line));
  const values = lines.flatMap((line) => {
    const [, value] = /^(?:\{.*\})? (\S+)/.exec(line.slice(name.length)) ?? [];
    return value === undefined ? [] : Number(value);
  });
  return sumOf(values);
}

async function readRedisSeconds(redis: RedisClient): Promise<number | undefined> {
  const nodes = writableNodes(redis);
  const infos = await Promise.all(nodes.map((node) => node.info('cpu').catch(throwRedisFailure)));
  const fields = infos.flatMap((info) => [
    infoField(info, 'used_cpu_user'),
    infoField(info, 'used_cpu_sys'),
  ]);
  return fields.includes(undefined) ? undefined : sumOf(fields.map(Number));
}

export type Content = Awaited<ReturnType<typeof readContent>>;

const bytesStatement: Statement = {
  name: 'bytes-of-market',
  text: `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 as bytes
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = $1 and c.relkind = 'r' and pg_relation_size(c.oid) > 0`,
};

/** Reads what the stores hold; `bytes` are those of all tables of the market with rows, with their indexes. */
export async function readContent({ database, redis, market }: Stores) {
  const { totals } = await readTotals(database);
  const [size] = await database.query<{ bytes: number }>(bytesStatement, [market]);
  const countOf = (outcomes: readonly string[]) =>
    sumOf(totals.filter(({ outcome }) => outcomes.includes(outcome)).map(({ count }) => count));
  const accepted = totals.filter(({ outcome }) => outcome === 'accepted');
  return {
    accepted: countOf(['accepted']),
    reviewed: countOf(['review']),
    scored: countOf(VERDICTS),
    byCorridor: new Map(accepted.map(({ corridor, count }) => [corridor, count])),
    bytes: size?.bytes ?? 0,
    profiles: await sampleProfiles(redis, market),
  };
}

/** More profiles make a mean no better; fewer leave merchants, which are rare, without one. */
const PROFILES_SAMPLED = 2000;
const KEYS_A_SCAN = 500;

/** Sizes of profiles as SCAN finds them: keys are spread by their hash, so the first ones are a fair sample. */
async function sampleProfiles(redis: RedisClient, market: string) {
  const profiles = { account: { count: 0, bytes: 0 }, merchant: { count: 0, bytes: 0 } };
  for (const node of writableNodes(redis)) {
    let cursor = '0';
    do {
      const [next, keys] = await node
        .scan(cursor, 'MATCH', profileKeyPattern(market), 'COUNT', KEYS_A_SCAN)
        .catch(throwRedisFailure);
      const sizes = await Promise.all(keys.map((key) => node.memory('USAGE', key))).catch(
        throwRedisFailure,
      );
      for (const [at, key] of keys.entries()) {
        const kind = profiles[key.includes('}:merchant:') ? 'merchant' : 'account'];
        // The bytes of devices and networks are those of the accounts that use them.
        if (/\}:(account|merchant):/.test(key)) kind.count += 1;
        kind.bytes += sizes[at] ?? 0;
      }
      cursor = next;
    } while (cursor !== '0' && profiles.account.count < PROFILES_SAMPLED);
  }
  return profiles;
}
