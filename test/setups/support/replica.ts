/** A Postgres with a streaming replica, for set-ups that need one. */
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serviceAccount } from '../../../src/tools/start/services/account.ts';
import { findPostgres, startPostgres } from '../../../src/tools/start/services/postgres.ts';
import type { Stage } from '../../chaos/support/scenario.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  startServices,
} from '../../chaos/support/services.ts';
import { control, type ServiceControl } from '../../support/service-control.ts';
import { backUpForStandby, PRIMARY_SETTINGS } from '../../support/standby.ts';
import { steadyPort } from './steady-port.ts';

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
