/** A server with an API, a worker and Redis is lost. Others go on without it, and an empty Redis takes its place. */
import { drill } from './support/drill.ts';

const LOST = ['api-1', 'worker-1'] as const;

export const serverLost = drill({
  name: 'server-lost',
  what: 'the server of an API, a worker and Redis is lost',
  setup: { apis: 2, workers: 2 },
  mayLose: false,
  strike: async ({ engine, ledger, site }) => {
    await Promise.all([...LOST.map((name) => engine.kill(name)), site.redis.end('SIGKILL')]);
    ledger.note({ kind: 'wiped' });
  },
  restore: ({ site }) => site.redis.startEmpty(),
  resume: async ({ engine }) => {
    await engine.start('api', 'api-1');
    await engine.start('worker', 'worker-1');
  },
});
