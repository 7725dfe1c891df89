/** Runs the embedded Postgres on a loopback port; it is durable unless configured otherwise. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftOver } from './left-over.ts';
import { type ClusterOptions, DATABASE, openCluster } from './postgres-cluster.ts';
import { type RunningService, startOnPort } from './service-process.ts';

type PostgresOptions = ClusterOptions & {
  readonly logFile: string;
  /** False trades durability for speed: for tests only. */
  readonly durable: boolean;
  /** Setting → value, over the ones below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A free one by default. */
  readonly port?: number;
  readonly signal: AbortSignal;
};

/** Crash recovery replays at most max_wal_size; generous for a slow disk. */
const READY_TIMEOUT_MS = 120_000;
/** Postgres says this while processes of a killed postmaster have not noticed yet: seen 30 ms after a kill -9. */
const NOT_ENDED = /pre-existing shared memory block/;

/** Sized for a laptop of two cores that the engine shares. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  wal_buffers: '16MB',
  // pglz on full-page images saves a tenth of the WAL and costs 60 % of a claim's CPU (measured).
  wal_compression: 'off',
  random_page_cost: '1.1',
  // Autovacuum analyzes growing partitions once a minute; a table costs 0.18 s with a sample of 9,000 rows,
  // 0.61 s with 30,000.
  default_statistics_target: '30',
  jit: 'off',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export async function startPostgres(options: PostgresOptions): Promise<RunningService> {
  const { program, account, password, logFile, durable, signal } = options;
  const cluster = await openCluster(options);
  await endLeftOver('Postgres', cluster, join(cluster, 'postmaster.pid'), 'SIGINT');
  const fixed = { ...SETTINGS, ...(durable ? DURABLE : FAST) };
  const { port, service } = await startOnPort({
    port: options.port,
    timeoutMs: READY_TIMEOUT_MS,
    signal,
    portTaken: /could not bind/,
    notYet: NOT_ENDED,
    specOf: (port) => ({
      name: 'Postgres',
      program: join(program.bin, 'postgres'),
      args: ['-D', cluster, ...flagsOf({ ...fixed, port: String(port), ...options.settings })],
      account,
      cwd: cluster,
      logFile,
      stopSignal: 'SIGINT',
      lastSignal: 'SIGQUIT',
    }),
    isReady: (_, { pid }) => isReady(cluster, pid),
  });
  return { url: `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${DATABASE}`, port, service };
}

const flagsOf = (settings: Readonly<Record<string, string>>) =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** The postmaster writes its state on line 8 of its lock file, as pg_ctl reads it. */
function isReady(cluster: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
