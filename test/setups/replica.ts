/**
 * A streaming replica is stopped, paused, killed and frozen while an analyst reads. The analyst may notice it only by the age of
 * the answers.
 */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serviceAccount } from '../../src/tools/start/services/account.ts';
import { findPostgres, startPostgres } from '../../src/tools/start/services/postgres.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  startServices,
} from '../chaos/support/services.ts';
import { freeze } from '../support/freeze.ts';
import { control, type ServiceControl } from '../support/service-control.ts';
import {
  askPostgres,
  backUpForStandby,
  PRIMARY_SETTINGS,
  superuserUrl,
} from '../support/standby.ts';
import { type Analyst, startAnalyst } from './support/analyst.ts';
import { steadyPort } from './support/steady-port.ts';

const BETWEEN_MS = 2000;
const AWAY_MS = 3000;
const LAG_MS_MAX = 3000;
/** Longer than the bound on lag and two checks. */
const PAUSED_MS = LAG_MS_MAX + 3000;
const RECOVER_MS_MAX = 20_000;
export const MISSED_NOW = 'reads that missed a row of now';
export const MISSED_OLD = 'reads that missed a row of yesterday older than their age';
export const FAILED = 'reads that failed';

export async function startWithReplica(options: ServicesOptions): Promise<ChaosServices> {
  await using opened = new AsyncDisposableStack();
  const services = opened.use(
    await startServices({ ...options, postgresSettings: PRIMARY_SETTINGS }),
  );
  const account = serviceAccount();
  const [folder, port] = [join(options.folder, 'standby'), await steadyPort()];
  mkdirSync(folder);
  chownSync(folder, account.uid, account.gid);
  await backUpForStandby(services.databaseUrl, folder, account);
  const program = await findPostgres(account);
  const logFile = join(options.folder, 'logs', 'replica.log');
  const { password } = new URL(services.databaseUrl);
  const replica = opened.use(
    await control(join(folder, 'postgres'), () =>
      startPostgres({
        ...{ account, program, port, password, services: folder, logFile },
        signal: options.signal,
      }),
    ),
  );
  const owned = opened.move();
  return {
    ...{ ...services, replica, engineEnvironment: { DATABASE_REPLICA_URL: replica.url } },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function replicaOf({ services }: Stage): ServiceControl {
  if (services.replica === undefined) throw new Error('there is no replica');
  return services.replica;
}

const replay = (stage: Stage, order: 'pause' | 'resume') =>
  askPostgres(superuserUrl(replicaOf(stage).url), `select pg_wal_replay_${order}()`);

/** Waits until the replica answers the analyst again, and judges how many seconds that took. */
async function untilUsed(stage: Stage, analyst: Analyst, after: string): Promise<void> {
  const [startedMs, before] = [performance.now(), analyst.findings().byReplica];
  const isUsed = () => analyst.findings().byReplica > before;
  await stage.until('the replica answers', isUsed, RECOVER_MS_MAX).catch(() => undefined);
  const seconds = isUsed() ? Math.round((performance.now() - startedMs) / 100) / 10 : Number.NaN;
  stage.bar(`seconds until it answers again: ${after}`, seconds, { atMost: RECOVER_MS_MAX / 1000 });
}

/** States of Postgres and of the replica. */
type Status = { readonly postgres: string; readonly replica?: { readonly state: string } | null };

const plan: Plan = {
  schedule: [...['replica stopped', 'its replay paused', 'kill -9 of it', 'it stands still']],
  faults: ['replica stopped', 'replay paused', 'replica killed', 'replica frozen'],
  run: async (stage) => {
    const replica = replicaOf(stage);
    const said: string[] = [];
    const analyst = startAnalyst(stage);
    const harm = async (fault: string, begin: () => unknown, end: () => unknown, ms = AWAY_MS) => {
      await stage.pause(BETWEEN_MS);
      await begin();
      stage.happened(fault);
      await stage.pause(ms);
      const status = await stage.engine.ask<Status>('GET', '/v1/status');
      said.push(`${fault}: postgres ${status.postgres}, replica ${status.replica?.state}`);
      await end();
      await untilUsed(stage, analyst, fault);
    };
    await untilUsed(stage, analyst, 'start');
    await harm('replica stopped', () => replica.end('SIGINT'), replica.start);
    const pause = () => replay(stage, 'pause');
    await harm('replay paused', pause, () => replay(stage, 'resume'), PAUSED_MS);
    await harm('replica killed', () => replica.end('SIGKILL'), replica.start);
    let frozen: ReturnType<typeof freeze> | undefined;
    const begin = () => {
      frozen = freeze(replica);
    };
    await harm('replica frozen', begin, () => frozen?.thaw());
    await analyst.finish();
    judge(stage, analyst, said);
  },
};

function judge(stage: Stage, analyst: Analyst, said: readonly string[]): void {
  const { reads, byReplica, failed, missed, slowestMs } = analyst.findings();
  stage.remark(`${reads} reads, ${byReplica} answered by the replica, slowest ${slowestMs} ms`);
  stage.remark(said.join('; '));
  const expected = [
    'stopped: postgres up, replica down',
    'paused: postgres up, replica lagging',
    'killed: postgres up, replica down',
    'frozen: postgres up, replica down',
  ];
  const wrong = said.filter((line, index) => !line.endsWith(expected[index] ?? ''));
  stage.bar('states told wrong', wrong.length, { exactly: 0 });
  stage.bar(FAILED, failed, { exactly: 0 });
  stage.bar(MISSED_NOW, missed.now, { exactly: 0 });
  stage.bar(MISSED_OLD, missed.yesterday, { exactly: 0 });
  stage.bar('reads that the replica answered', byReplica, { atLeast: 10 });
}

export const replica: Scenario = {
  name: 'replica',
  what: 'a streaming replica of Postgres, from which lists and older rows are read',
  setup: {
    ...{ countersExact: false, rate: 300 },
    environment: { RISK_REPLICA_LAG_MS_MAX: String(LAG_MS_MAX) },
  },
  startServices: startWithReplica,
  plan: () => plan,
};
