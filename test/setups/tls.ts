/**
 * Redis with TLS and an ACL user that has the rights the engine needs and no more; Postgres with TLS and a verified
 * certificate. Only the two URLs tell the engine of both.
 */
import { join } from 'node:path';

import { NotRun } from '../chaos/support/not-run.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  startServices,
} from '../chaos/support/services.ts';
import { findOpenssl, makeCertificates } from '../support/certificates.ts';
import { ACL_USER } from './support/acl-user.ts';
import { steadyPort } from './support/steady-port.ts';

const AWAY_MS = 1000;

async function startTlsServices(options: ServicesOptions): Promise<ChaosServices> {
  const openssl = findOpenssl();
  if (openssl === undefined) throw new NotRun('openssl is not installed');
  const folder = join(options.folder, 'certificates');
  const { authority, server, key } = await makeCertificates(openssl, folder);
  const tlsPort = await steadyPort();
  return await startServices({
    ...options,
    postgresSettings: { ssl: 'on', ssl_cert_file: server, ssl_key_file: key },
    openRedis: async (startNode) => {
      const redis = await startNode('redis', {
        ...{ 'tls-port': String(tlsPort), 'tls-cert-file': server, 'tls-key-file': key },
        ...{ 'tls-ca-cert-file': authority, 'tls-auth-clients': 'no', user: ACL_USER.line },
      });
      return { nodes: [redis], redisUrl: redis.url };
    },
    engineUrlsOf: ({ databaseUrl }) => ({
      databaseUrl: `${databaseUrl}?sslmode=verify-full&sslrootcert=${authority}`,
      redisUrl: `rediss://${ACL_USER.login}@127.0.0.1:${tlsPort}?sslrootcert=${authority}`,
    }),
  });
}

const plan: Plan = {
  schedule: ['kill -9 of Redis', 'kill -9 of Postgres'],
  faults: ['redis killed', 'postgres killed'],
  run: async ({ services, happened, pause, progress }) => {
    for (const [index, name] of (['redis', 'postgres'] as const).entries()) {
      await progress((index + 1) / 4);
      await services[name].end('SIGKILL');
      happened(`${name} killed`);
      await pause(AWAY_MS);
      await services[name].start();
    }
  },
  judge: async (stage) => {
    await judgePostgres(stage);
    await judgeRedis(stage);
  },
};

async function judgePostgres({ services, bar }: Stage): Promise<void> {
  const rows = await services.query<{ ssl: boolean }>(
    `select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name like 'risk-%'`,
  );
  bar('sessions of the engine in Postgres', rows.length, { atLeast: 1 });
  bar('sessions without TLS', rows.filter(({ ssl }) => !ssl).length, { exactly: 0 });
}

async function judgeRedis({ services, bar }: Stage): Promise<void> {
  const clients = String(await services.client.client('LIST'))
    .trim()
    .split('\n');
  const engine = clients.filter((line) => line.includes(` user=${ACL_USER.name} `));
  const port = services.engineUrls.redisUrl.match(/:(\d+)\?/)?.[1];
  bar('connections of the engine to Redis', engine.length, { atLeast: 1 });
  const plain = engine.filter((line) => !line.includes(`:${port} `));
  bar('connections without TLS', plain.length, { exactly: 0 });
  const refused = (await services.client.call('ACL', ['LOG'])) as unknown[];
  bar('commands that the ACL refused', refused.length, { exactly: 0 });
}

export const tls: Scenario = {
  name: 'tls',
  what: 'Redis with TLS and an ACL user, Postgres with TLS and a verified certificate',
  setup: { countersExact: false },
  startServices: startTlsServices,
  plan: () => plan,
};
