/**
 * Configuration: the only reader of the environment. Every value has a default, bounds and a
 * sentence; all problems are listed at once and the process exits 78 (EX_CONFIG).
 */
import { z } from 'zod';
import { VISIBLE_ASCII } from '../words/plain-text.ts';
import { edgeSettings } from './edge-settings.ts';
import { evidenceSettings, loneBucket, objectStoreSettings } from './evidence-settings.ts';
import { marketList, marketName, readEachMarket } from './market-settings.ts';
import { integer, share } from './numbers.ts';
import { missingOidcSettings, oidcSettings } from './oidc-settings.ts';
import { lonePrivacySettings, privacySettings } from './privacy-settings.ts';
import { kafkaUrl, postgresUrl, postgresUrls, redisUrl, serverFiles } from './service-urls.ts';
import { readStopSettings, type StopSetting } from './stop-settings.ts';
import { webhookSettings } from './webhook-settings.ts';

const CORRIDORS = /^[A-Z]{2}-[A-Z]{2}(,[A-Z]{2}-[A-Z]{2})*$/;
const SECOND_MS = 1000;

const settings = {
  PORT: integer(0, 65535, 8080).describe('Port of the API; 0 picks a free one.'),
  HOST: z.string().default('127.0.0.1').describe('Address the API binds.'),
  RISK_TLS: serverFiles()
    .optional()
    .describe(
      'PEM files, with which the API serves https alone: `sslcert=FILE&sslkey=FILE`; with `&sslrootcert=FILE` only to clients whose certificate that authority signed. Files that change are read again.',
    ),
  DATABASE_URL: postgresUrl()
    .optional()
    .describe('Primary Postgres; with TLS: `?sslmode=verify-full&sslrootcert=FILE`.'),
  RISK_ADMIN_DATABASE_URL: postgresUrl()
    .optional()
    .describe(
      'Role that migrates, writes `shared` and makes markets with roles of their own; for commands alone.',
    ),
  DATABASE_REPLICA_URL: postgresUrls()
    .optional()
    .describe(
      'Streaming replica that answers reads of data older than five minutes, and all reads while the primary is away; of several, with commas, the freshest answers.',
    ),
  REDIS_URL: redisUrl()
    .optional()
    .describe(
      'Redis; a comma-separated list is a cluster. With TLS: `rediss://`, `?sslrootcert=FILE`.',
    ),
  KAFKA_URL: kafkaUrl()
    .optional()
    .describe(
      'Brokers of Kafka, for corridors whose log is `both` or `kafka`: `kafka://host:9092`, with commas between brokers. With TLS and SASL: `kafkas://USER:PASSWORD@host:9093?mechanism=SCRAM-SHA-512&sslrootcert=FILE`.',
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe log line written.'),
  // Settings that OpenTelemetry names bear its names.
  OTEL_TRACES_EXPORTER: z
    .enum(['none', 'otlp'])
    .default('none')
    .describe('otlp: traces go to a collector of OpenTelemetry.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .default('http://localhost:4318')
    .describe(
      'Collector of traces, by OTLP over HTTP; the exporter reads other OTEL_EXPORTER_OTLP_ names as well.',
    ),
  OTEL_TRACES_SAMPLER_ARG: share(0.01).describe(
    'Share of requests that are traced, from 0 to 1, where the caller does not decide.',
  ),
  RISK_TRACES_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File that spans are appended to, one JSON line each, in place of a collector.'),
  RISK_TRACE_SLOW_MS: integer(1, 600_000, 1000).describe(
    'Requests and batches that take this long are traced, whether they are sampled or not.',
  ),
  RISK_ARCHIVE_S3_LOCK: z
    .enum(['none', 'governance', 'compliance'])
    .default('none')
    .describe(
      'Object lock on the files of archives, for `--lock-years` of `archive month` and `archive rollback`.',
    ),
  ...objectStoreSettings,
  RISK_DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe('Folder of the embedded services and of generated secrets.'),
  RISK_BOOTSTRAP_KEY: z
    .string()
    .regex(/^[!-~]{32,256}$/, '32 to 256 visible ASCII characters')
    .optional()
    .describe('An API key with every role that admin includes, accepted exactly as given.'),
  RISK_API_KEY: z
    .string()
    .regex(VISIBLE_ASCII, 'visible ASCII characters')
    .optional()
    .describe('API key the CLI sends; without it, RISK_BOOTSTRAP_KEY.'),
  RISK_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8080')
    .describe('API the CLI talks to; by default that of a running `npm start`, if there is one.'),
  RISK_WORKER_PORT: integer(0, 65535, 0).describe(
    "Port of a worker's or trainer's /livez, /readyz and /metrics; 0 is none.",
  ),
  RISK_MARKET: marketName.describe('Market: Postgres schema and Redis key prefix.'),
  RISK_MARKETS: marketList
    .optional()
    .describe(
      'Markets that one API serves; RISK_MARKET, by default the first, answers requests that name none. Stores of market_1 alone: MARKET_1_DATABASE_URL, MARKET_1_DATABASE_REPLICA_URL, MARKET_1_REDIS_URL.',
    ),
  RISK_CORRIDORS: z
    .string()
    .regex(CORRIDORS)
    .optional()
    .describe('Corridors that migrate adds to those of the market.'),
  RISK_RESIDENCY: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter(Boolean))
    .describe(
      'Where the servers stand, as EU,DE: API and workers refuse corridors with another `residency`; without tags they refuse none.',
    ),
  RISK_DATABASE_CONNECTIONS_MAX: integer(2, 100, 10).describe(
    'Pool size of one process: one connection for work while a long statement has another. An API process has half as many more for searches.',
  ),
  RISK_DATABASE_POOLER: z
    .enum(['none', 'transaction'])
    .default('none')
    .describe(
      'transaction: behind a transaction-pooling proxy; each single statement is then a transaction of three round trips.',
    ),
  RISK_STATEMENT_TIMEOUT_MS: integer(100, 600_000, 10 * SECOND_MS).describe(
    'Deadline of one SQL statement.',
  ),
  RISK_REPLICA_LAG_MS_MAX: integer(2 * SECOND_MS, 120 * SECOND_MS, 10 * SECOND_MS).describe(
    'Lag of the replica beyond which the primary answers in its place.',
  ),
  RISK_CONNECT_TIMEOUT_MS: integer(100, 60_000, 1.5 * SECOND_MS).describe(
    'Deadline for a database connection or a free pool slot.',
  ),
  RISK_REDIS_TIMEOUT_MS: integer(100, 60_000, 2 * SECOND_MS).describe(
    'Deadline of one non-blocking Redis command.',
  ),
  ...edgeSettings,
  RISK_EXPORTS_MAX: integer(1, 64, 2).describe(
    'Exports that an API process runs at a time, and its connections to Postgres for them; more are refused with 503.',
  ),
  RISK_EXPORT_IDLE_MS: integer(100, 100 * SECOND_MS, 60 * SECOND_MS).describe(
    'How long the reader of an answer may take nothing before it is broken off.',
  ),
  RISK_CONTROLS_UNREAD: z
    .enum(['accept', 'refuse'])
    .default('accept')
    .describe(
      'What an API process does with submissions while it could not read the controls for 5 s. What is accepted is not scored in a stopped scope.',
    ),
  RISK_WAIT_MS_MAX: integer(0, 60_000, 10 * SECOND_MS).describe(
    'Longest wait a Prefer: wait may ask for.',
  ),
  RISK_STREAM_ENTRIES_MAX: integer(100, 10_000_000, 500_000).describe(
    'Transactions in one stream beyond which requests no longer append; fewer where Redis has no room (0.3 of maxmemory at most, for all). The reconciler fills both a tenth further.',
  ),
  RISK_EVENT_BYTES_MAX: integer(0, 1024 ** 4, 64 * 1024 * 1024).describe(
    'Memory of events (7 days at most) and copies of dead letters in Redis, a tenth of maxmemory at most; 0: none.',
  ),
  RISK_IDEMPOTENCY_RETENTION_DAYS: integer(1, 3650, 90).describe(
    'How long an idempotency key is remembered, at least; at most an eighth longer.',
  ),
  RISK_DEAD_LETTER_RETENTION_DAYS: integer(1, 3650, 90).describe(
    'How long a dead letter is kept after its replay or purge, at least; an open one is kept for good.',
  ),
  RISK_WATCH_RETENTION_DAYS: integer(1, 3650, 30).describe(
    'How long reports of the watch over models are kept.',
  ),
  RISK_SHADOW_RETENTION_DAYS: integer(1, 3650, 30).describe(
    'How long the opinions of shadow models are kept.',
  ),
  RISK_MODEL_CHECK_RETENTION_DAYS: integer(30, 3650, 730).describe(
    'How long the records of which process checked which model are kept.',
  ),
  RISK_REVIEW_RETENTION_DAYS: integer(30, 3650, 730).describe(
    'How long a review case is kept after it was closed; the final decision stays.',
  ),
  RISK_WEBHOOK_RETENTION_DAYS: integer(7, 3650, 30).describe(
    'How long deliveries of webhooks are kept after their event, those that still wait included.',
  ),
  ...webhookSettings,
  ...evidenceSettings,
  ...privacySettings,
  RISK_KEY_FILTER_MB: integer(0, 1_000_000, 64).describe(
    'Memory of an API process for the filters of stored keys, 2.5 MB a million; beyond it the oldest keys have none.',
  ),
  RISK_RECONCILE_AGE_MS: integer(500, 600_000, 5 * SECOND_MS).describe(
    'Age at which an unappended batch is appended again.',
  ),
  RISK_LABEL_MATURITY_DAYS: integer(1, 60, 7).describe(
    'Age at which the labels of a transaction count as complete: rates of fraud end that long ago.',
  ),
  RISK_WORKER_CORRIDORS: z
    .string()
    .regex(CORRIDORS, 'must be corridors with commas between them, such as US-EG,GB-NG')
    .optional()
    .describe(
      'Corridors that a worker reads, and no others; without it, all. Other workers must read the rest.',
    ),
  RISK_WORKER_READERS: integer(1, 64, 4).describe(
    'Readers of one worker. One batch is in flight until what waits fills RISK_BATCH_ENTRIES, then one a reader.',
  ),
  RISK_BATCH_ENTRIES: integer(1, 1000, 1000).describe(
    'Largest batch, in transactions: it grows with the backlog, and its last entry may exceed it.',
  ),
  // A worker renews its entries three times within the limit. Shorter: a stall of 5 s loses them to a second scoring; longer: later takeover.
  RISK_CLAIM_IDLE_MS: integer(200, 3_600_000, 7500).describe(
    'Idle time after which another worker takes an entry over; its own worker renews it after a third of that.',
  ),
  RISK_READ_BLOCK_MS: integer(10, SECOND_MS, SECOND_MS).describe('Longest blocking read.'),
  RISK_RETRY_BASE_MS: integer(1, 60_000, SECOND_MS).describe(
    'Wait before the second attempt; doubles each time.',
  ),
  RISK_WATCH_EVERY_SECONDS: integer(1, 86_400, 300).describe(
    'How often one worker compares scores with what models were trained on, and with labels.',
  ),
  RISK_PROFILE_TTL_SECONDS: integer(1, 90 * 86_400, 3 * 86_400).describe(
    'How long an untouched profile stays in Redis (L2).',
  ),
  RISK_SHUTDOWN_TIMEOUT_MS: integer(100, 300_000, 25 * SECOND_MS).describe(
    'From the first signal, and the grace of an API, to a forced exit.',
  ),
  ...oidcSettings,
  RISK_SCHEMA_WAIT_MS: integer(0, 300_000, 30 * SECOND_MS).describe(
    'How long a role waits for the schema.',
  ),
};

export const isCorridorList = (text: string) => CORRIDORS.test(text);

const schema = z.object(settings);
type Settings = z.infer<typeof schema>;

export type Config = Settings & {
  /** Scopes of any market that the environment stops. */
  readonly stopped: readonly StopSetting[];
  /** Settings of each market that an API serves, those of this market first. */
  readonly markets: readonly Settings[];
  /** The API that `npm start` runs in the data folder, and the key that it made, with the file as people read it. */
  readonly ownApi?:
    | { readonly url: string; readonly key: string | undefined; readonly keyFile: string }
    | undefined;
};
export type Environment = Readonly<Record<string, string | undefined>>;

/** Exit code of a bad configuration (EX_CONFIG of sysexits.h). */
export const EXIT_BAD_CONFIGURATION = 78;

type ConfigResult = { readonly config: Config } | { readonly problems: readonly string[] };

/** The environment of this process, for starting children; settings come from `readConfig`. */
export function readEnvironment(): Environment {
  return process.env;
}

/** Reads and checks an environment. Empty values count as absent; unknown RISK_ names are problems. */
export function readConfig(environment: Environment = process.env): ConfigResult {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const unknown = Object.keys(given)
    .filter(
      (name) => name.startsWith('RISK_') && !(name in settings) && !name.startsWith('RISK_TEST_'),
    )
    .map((name) => `${name}: is not a setting of this engine`);
  const { stopped, problems } = readStopSettings(given);
  const { markets, issues } = readEachMarket(given, schema);
  const [first] = markets;
  const lone = [...missingOidcSettings(given), ...lonePrivacySettings(given), ...loneBucket(given)];
  const all = [...issues, ...unknown, ...lone, ...problems];
  if (first === undefined || all.length > 0) return { problems: all };
  return { config: { ...first, stopped, markets } };
}

/** Every setting with its sentence, for the documents. */
export function describeSettings(): { name: string; description: string; byDefault: string }[] {
  return Object.entries(settings).map(([name, setting]) => {
    const parsed = setting.safeParse(undefined);
    const byDefault = parsed.success && parsed.data !== undefined ? String(parsed.data) : '';
    return { name, description: setting.description ?? '', byDefault };
  });
}
