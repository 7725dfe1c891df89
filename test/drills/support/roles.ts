/** Processes of the engine in a drill, as an operator ends and starts them. */
import type { DrillStage } from './drill.ts';

/** Ends all of them by SIGTERM. */
export async function stopRoles({ engine }: DrillStage): Promise<void> {
  await Promise.all(engine.running().map(({ name }) => engine.drain(name)));
}

/** The machines of all of them are gone. */
export async function killRoles({ engine }: DrillStage): Promise<void> {
  await Promise.all(engine.running().map(({ name }) => engine.kill(name)));
}

/** Starts an API and two workers on the stores in use. A client finds the API at the address that it had. */
export async function startRoles({ engine, site }: DrillStage): Promise<void> {
  const environment = { DATABASE_URL: site.databaseUrl, REDIS_URL: site.redisUrl };
  await Promise.all([
    engine.start('api', 'api-1', { environment }),
    engine.start('worker', 'worker-1', { environment }),
    engine.start('worker', 'worker-2', { environment }),
  ]);
}

/** Ends each restore: Redis is emptied, and the engine's own commands find nothing to mend. */
export async function finishRestore({ ledger, site }: DrillStage): Promise<void> {
  await site.runPage('backup.md', 'Redis', 0);
  ledger.note({ kind: 'wiped' });
  await site.run('bin/risk migrate && bin/risk doctor');
}
