/**
 * Clusters of Postgres as Debian, Docker's image `postgres`, CloudNativePG and RDS make theirs: what they give initdb, who may connect
 * how, and what the owner of the database may do. Each is made by the programs of the tests.
 */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, findExecutable } from '../../src/tools/start/services/executable.ts';
import { findPostgres } from '../../src/tools/start/services/postgres.ts';
import { type Certificates, findOpenssl, makeCertificates } from '../support/certificates.ts';
import { makeServiceFolder, PASSWORD } from '../support/service-folder.ts';
import { startTestPostgres, type TestService } from '../support/services.ts';
import { askPostgres, superuserUrl } from '../support/standby.ts';

const INIT_MS = 60_000;

type Query = Readonly<Record<string, string>>;

export type Cluster = {
  readonly name: string;
  readonly initdb: readonly string[];
  /** The locale of the server's environment. */
  readonly lang: string;
  /** pg_hba.conf in place of initdb's. */
  readonly hba?: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** Statements of the superuser that make the engine's role and database. */
  readonly make: readonly string[];
  readonly role: string;
  readonly database: string;
  /** Parameters of DATABASE_URL that the provider documents. */
  readonly parameters: (files: Certificates) => Query;
};

const AS_LOGIN = `login password '${PASSWORD}'`;
/** Beside what a provider gives: the tests change nothing else in the cluster. */
const BY_TESTS = 'host all postgres 127.0.0.1/32 scram-sha-256';
/** The connection must have TLS, and the server a certificate that the authority signed. */
const verified = ({ authority }: Certificates) => ({
  sslmode: 'verify-full',
  sslrootcert: authority,
});

/** `pg_createcluster` and `createdb -O`: the locale of the machine, TLS with a certificate of its own. */
const DEBIAN: Cluster = {
  name: 'Debian',
  initdb: ['--auth-local=peer', '--auth-host=scram-sha-256'],
  lang: 'en_US.UTF-8',
  settings: {
    ssl: 'on',
    timezone: 'America/New_York',
    datestyle: 'iso, mdy',
  },
  make: [`create role risk ${AS_LOGIN}`, 'create database risk owner risk'],
  role: 'risk',
  database: 'risk',
  // The certificate of the package ssl-cert names the host and is signed by nobody.
  parameters: () => ({ sslmode: 'no-verify' }),
};

export const CLUSTERS: readonly Cluster[] = [
  DEBIAN,
  {
    ...DEBIAN,
    name: "Debian, with ICU's rules of a language",
    make: [
      `create role risk ${AS_LOGIN}`,
      `create database risk owner risk template template0 locale_provider icu icu_locale 'de-u-co-phonebk-kf-upper'`,
    ],
  },
  {
    name: "Docker's image postgres",
    // Connections of the own host need no password there.
    initdb: [],
    lang: 'en_US.utf8',
    settings: { log_timezone: 'Etc/UTC', timezone: 'Etc/UTC' },
    // POSTGRES_USER is the superuser.
    make: [`create role app superuser ${AS_LOGIN}`, 'create database app owner app'],
    role: 'app',
    database: 'app',
    parameters: () => ({}),
  },
  {
    name: 'CloudNativePG',
    initdb: ['--encoding=UTF8', '--lc-collate=C', '--lc-ctype=C', '--data-checksums'],
    lang: 'C.UTF-8',
    hba: [
      'local all all peer',
      BY_TESTS,
      'hostssl postgres streaming_replica all cert',
      'hostssl replication streaming_replica all cert',
      'host all all all scram-sha-256',
    ],
    settings: {
      archive_mode: 'on',
      archive_command: '/bin/true',
      archive_timeout: '5min',
      log_destination: 'csvlog',
      logging_collector: 'on',
      log_directory: 'log',
      password_encryption: 'scram-sha-256',
      ssl: 'on',
      ssl_min_protocol_version: 'TLSv1.3',
      ssl_max_protocol_version: 'TLSv1.3',
      wal_level: 'logical',
    },
    make: [
      'create role streaming_replica replication login',
      `create role app ${AS_LOGIN}`,
      'create database app owner app',
    ],
    role: 'app',
    database: 'app',
    parameters: verified,
  },
  {
    name: 'RDS with rds.force_ssl',
    initdb: ['--encoding=UTF8'],
    lang: 'en_US.UTF-8',
    hba: [BY_TESTS, 'hostssl all all all scram-sha-256'],
    settings: {
      ssl: 'on',
      ssl_min_protocol_version: 'TLSv1.2',
      timezone: 'UTC',
      max_connections: '81',
      idle_in_transaction_session_timeout: '86400000',
    },
    make: [
      'create role rds_superuser nologin createrole createdb',
      'grant pg_monitor, pg_signal_backend to rds_superuser with admin option',
      'revoke all on database template1 from public',
      `create role master createrole createdb ${AS_LOGIN}`,
      'grant rds_superuser to master',
      'create database risk owner master',
    ],
    role: 'master',
    database: 'risk',
    parameters: verified,
  },
];

/** Programs that are not there, in a sentence; undefined where all are. */
export function whyNoClusters(): string | undefined {
  if (findOpenssl() === undefined) return 'there is no openssl';
  if (findExecutable('localedef', process.env['PATH']) === undefined)
    return 'there is no localedef';
  return undefined;
}

/** Makes the locale en_US.UTF-8, which few test machines have and each server of Debian has. @returns the folder for LOCPATH */
async function makeLocale(folder: string): Promise<string> {
  const locales = join(folder, 'locales');
  mkdirSync(locales);
  const args = ['--no-archive', '-i', 'en_US', '-f', 'UTF-8', join(locales, 'en_US.utf8')];
  const { ok, stderr } = await ask('localedef', args, { timeoutMs: INIT_MS });
  if (!ok) throw new Error(`localedef: ${stderr}`);
  return locales;
}

/** Starts a cluster. @returns the URL with which its provider's users connect */
export async function startCluster(
  cluster: Cluster,
  bin: string,
): Promise<{ readonly url: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const outside = stack.use(makeServiceFolder());
  const program = await findPostgres(outside.account, bin || undefined);
  const certificates = await makeCertificates(findOpenssl() ?? '', join(outside.services, 'tls'));
  const environment = { LANG: cluster.lang, LOCPATH: await makeLocale(outside.services) };
  const programs = join(outside.services, 'bin');
  mkdirSync(programs);
  const exports = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
  const start = `#!/bin/sh\nunset LC_ALL\n${exports.join(' ')} exec '${program.bin}/postgres' "$@"\n`;
  writeFileSync(join(programs, 'postgres'), start, { mode: 0o755 });

  const server: TestService = stack.use(
    await startTestPostgres({
      bin: programs,
      settings: {
        lc_messages: cluster.lang,
        ...cluster.settings,
        ssl_cert_file: certificates.server,
        ssl_key_file: certificates.key,
        ssl_ca_file: certificates.authority,
      },
      makeCluster: async ({ services, account, password }) => {
        const data = join(services, 'postgres');
        const passwordFile = join(services, 'password');
        writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
        chownSync(passwordFile, account.uid, account.gid);
        const args = ['-D', data, '-U', 'postgres', `--pwfile=${passwordFile}`, ...cluster.initdb];
        const run = { account, cwd: services, timeoutMs: INIT_MS };
        const own = { ...environment, LC_ALL: cluster.lang };
        const made = await ask(join(program.bin, 'initdb'), args, { ...run, environment: own });
        if (!made.ok) throw new Error(`initdb: ${made.stderr}`);
        const hba = join(data, 'pg_hba.conf');
        if (cluster.hba !== undefined) writeFileSync(hba, `${cluster.hba.join('\n')}\n`);
      },
    }),
  );
  for (const statement of cluster.make) await askPostgres(superuserUrl(server.url), statement);
  const url = new URL(server.url);
  url.username = cluster.role;
  url.pathname = `/${cluster.database}`;
  for (const [name, value] of Object.entries(cluster.parameters(certificates)))
    url.searchParams.set(name, value);
  const owned = stack.move();
  return { url: url.href, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
