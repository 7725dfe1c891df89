/**
 * PgBouncer in transaction mode, with its stock settings, between the engine and Postgres: migration and roles know no other
 * address. They hold a connection to Postgres only for a transaction, and no setting on it outlives one.
 */
import { join } from 'node:path';

import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  startServices,
} from '../chaos/support/services.ts';
import { runRiskProcess } from '../support/risk.ts';
import type { ServiceControl } from '../support/service-control.ts';
import { startPooler } from './support/pgbouncer.ts';
import { steadyPort } from './support/steady-port.ts';

const BETWEEN_MS = 2000;
const AWAY_MS = 1000;
/** Also applies to migrate, which runs with the environment of the services. */
const POOLED = { RISK_DATABASE_POOLER: 'transaction' };

async function startPooledServices(options: ServicesOptions): Promise<ChaosServices> {
  const port = await steadyPort();
  let pooler: ServiceControl | undefined;
  const services = await startServices({
    ...options,
    engineEnvironment: POOLED,
    engineUrlsOf: async ({ databaseUrl, redisUrl }, opened) => {
      const folder = join(options.folder, 'pgbouncer');
      const started = await startPooler({ databaseUrl, port, folder, signal: options.signal });
      pooler = opened.use(started);
      return { databaseUrl: started.url, redisUrl };
    },
  });
  return { ...services, ...(pooler === undefined ? {} : { pooler }) };
}

const plan: Plan = {
  schedule: ['kill -9 of PgBouncer', 'kill -9 of Postgres'],
  faults: ['pooler killed', 'postgres killed'],
  run: async (stage) => {
    const { postgres, pooler } = stage.services;
    await stage.pause(BETWEEN_MS);
    await pooler?.end('SIGKILL');
    stage.happened('pooler killed');
    await stage.pause(AWAY_MS);
    await pooler?.start();
    await stage.pause(BETWEEN_MS);
    await postgres.end('SIGKILL');
    stage.happened('postgres killed');
    await stage.pause(AWAY_MS);
    await postgres.start();
  },
  judge: async (stage) => {
    await judgeSessions(stage);
    await judgeUndeclared(stage);
  },
};

/** Without RISK_DATABASE_POOLER the message names that setting, not a missing schema. */
async function judgeUndeclared({ services, bar }: Stage): Promise<void> {
  const { code, stderr } = await runRiskProcess(['partitions', 'list'], {
    DATABASE_URL: services.engineUrls.databaseUrl,
  });
  const isSaid = code === 1 && stderr.includes('RISK_DATABASE_POOLER=transaction');
  bar('undeclared pooler named', Number(isSaid), { exactly: 1 });
}

/** Settings and locks that the engine may have left on a connection that others use next. */
async function judgeSessions({ services, bar }: Stage): Promise<void> {
  const [locks] = await services.query<{ count: number }>(
    `select count(*)::int from pg_locks where locktype = 'advisory'`,
  );
  bar('locks of sessions', locks?.count ?? Number.NaN, { exactly: 0 });
  const direct = await services.query(
    `select from pg_stat_activity where application_name like 'risk-%' and client_port is not null
        and state = 'idle in transaction' and state_change < now() - interval '30 s'`,
  );
  bar('transactions that were left open', direct.length, { exactly: 0 });
}

export const pgbouncer: Scenario = {
  name: 'pgbouncer',
  what: 'PgBouncer in transaction mode, with its stock settings',
  setup: { countersExact: false, environment: POOLED },
  startServices: startPooledServices,
  plan: () => plan,
};
