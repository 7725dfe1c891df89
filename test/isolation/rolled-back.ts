/** A whole rollback of the neighbour in each disturbed window: freeze, export, verification, the agreement of two people, and the drop. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unsealed } from '../../bench/support/unsealed.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { agreeOnRollback } from '../support/rooms/archive/agree.ts';
import type { Disturbance } from './disturbances.ts';
import { NEIGHBOUR, type Neighbour, USUAL_LOAD } from './support/neighbour.ts';
import { PROCESSORS } from './support/pin.ts';

/** More: the rollback outlasts the window. Fewer: the rollback ends before the window does. */
const TRANSACTIONS = 10_000;

let folder: string;
let running: Promise<void> | undefined;

/** Fills the market and freezes it; its worker scores the rest. */
async function freeze({ stage, traffic, request }: Neighbour): Promise<void> {
  const go = await traffic({ ...USUAL_LOAD, rate: 0, batch: 1000 }, { transactions: TRANSACTIONS });
  await go();
  await request('PUT', '/v1/controls/freeze/market', { in_force: true, reason: 'a proof' });
  await stage.until('the neighbour has scored', async () => {
    const [row] = await stage.services.query<{ open: boolean }>(
      `select exists (select from ${NEIGHBOUR}.open_rows) as open`,
    );
    return row?.open === false;
  });
}

async function begin(neighbour: Neighbour): Promise<void> {
  const { stage } = neighbour;
  await freeze(neighbour);
  await neighbour.drainWorker();
  await using database = openPool({
    ...{ url: stage.services.databaseUrl, market: NEIGHBOUR, role: 'isolation' },
    ...{ connectionsMax: 1, connectTimeoutMs: 10_000, statementTimeoutMs: 60_000 },
    namedStatements: true,
  });
  await agreeOnRollback(database, NEIGHBOUR);
  folder = await mkdtemp(join(tmpdir(), 'risk-rolled-back-'));
  const key = join(folder, 'key');
  await writeFile(key, randomBytes(32).toString('base64'));
  const args = ['archive', 'rollback', NEIGHBOUR, '--to', join(folder, 'archive'), '--key', key];
  const within = ['taskset', '-c', String(PROCESSORS.neighbour)];
  running = stage.engine.command(args, {}, within);
  running.catch(() => undefined);
}

export const rolledBack: Disturbance = {
  name: 'rolled-back',
  what: 'the neighbour is frozen, archived, verified and dropped by a rollback, and made again afterwards',
  begin,
  async end(neighbour) {
    await running;
    await unsealed(folder)[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
    await neighbour.create();
    await neighbour.startWorker();
  },
};
