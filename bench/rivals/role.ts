/** A process of a rival: `node bench/rivals/role.ts SYSTEM usual|batched api|worker`. */
import { servePlainly } from '../support/plain-service.ts';
import type { Rival, Style } from './rival.ts';

const RIVALS: Readonly<Record<string, () => Promise<{ readonly rival: Rival }>>> = {
  plain: () => import('./plain.ts'),
  bullmq: () => import('./bullmq.ts'),
  'pg-boss': () => import('./pg-boss.ts'),
  'graphile-worker': () => import('./graphile-worker.ts'),
};

const [system = '', style, role] = process.argv.slice(2);
const load = RIVALS[system];
if (load === undefined) throw new Error(`no rival '${system}'`);
const { rival } = await load();
const chosen: Style = style === 'batched' ? 'batched' : 'usual';
const stores = {
  databaseUrl: process.env['DATABASE_URL'] ?? '',
  redisUrl: process.env['REDIS_URL'] ?? '',
};
if (role === 'api') {
  const api = await rival.openApi(chosen, stores);
  await servePlainly({ port: Number(process.env['PORT']), ...api });
} else {
  const worker = await rival.openWorker?.(chosen, stores);
  if (worker === undefined) throw new Error(`${system} has no worker`);
  await servePlainly({ port: Number(process.env['RISK_WORKER_PORT']), ...worker });
}
