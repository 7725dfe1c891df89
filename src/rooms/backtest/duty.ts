/** Backtests in a worker: one process runs them, one at a time, the oldest first, on the replica where there is one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker, WorkerRoom } from '../../core/room.ts';
import type { Models } from '../../core/score/judge.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import { type OpenReplicas, openReplicas } from '../../kit/database/replica/replicas.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { runBacktest } from './run.ts';
import { failBacktest, findNext, hasOpen } from './store/backtests.ts';

const LOOK_EVERY_MS = 1000;
/** A lease is led no longer at a time, as its holder gives it up between works alone. */
const SLICE_MS = 5000;
/** A replica is checked every half second. */
const PROOF_MS_MAX = 2000;
const PROOF_POLL_MS = 50;

type Running = Pick<
  Worker,
  'config' | 'database' | 'leadership' | 'metrics' | 'log' | 'openModels'
>;

export async function openBacktests(worker: Running): Promise<WorkerRoom> {
  const { config, database, leadership, metrics, log, openModels } = worker;
  const lead = leadership.of('care');
  const urls = config.DATABASE_REPLICA_URL;
  let replica: OpenReplicas | null = null;
  let models: Models | undefined;
  const closeReplica = async () => {
    await replica?.[Symbol.asyncDispose]();
    replica = null;
  };
  const runSlice = async (signal: AbortSignal) => {
    const next = await findNext(database.query);
    if (next === undefined) return;
    if (urls !== undefined && replica === null) {
      replica = openReplicas({ config, urls, primary: database, metrics, log });
      await untilProven(replica);
    }
    const databases: Databases = {
      primary: database,
      replica,
      now: Date.now,
      countRead: (by, why) => metrics.reads.inc({ database: by, why }),
    };
    models ??= await openModels({ primary: database, replica: null, now: Date.now });
    const untilMs = performance.now() + SLICE_MS;
    try {
      await runBacktest({ databases, models, writes: lead.writes, signal, untilMs }, next);
    } catch (error) {
      if (mayPass(error)) throw error;
      log.warn({ backtest: next.id, err: toError(error).message }, 'backtest failed');
      await failBacktest(lead.writes.query, next.id, toError(error).message);
    }
  };
  return {
    duties: [
      {
        name: 'run-backtests',
        everyMs: LOOK_EVERY_MS,
        async run(signal) {
          try {
            while (!signal.aborted && (await hasOpen(database.query))) {
              if (!(await lead.run(() => runSlice(signal)))) break;
            }
          } finally {
            await closeReplica();
          }
        },
      },
    ],
  };
}

/** Returns once the replica may be read, or after a time: the primary answers until then. */
async function untilProven({ ageMs }: OpenReplicas): Promise<void> {
  const untilMs = performance.now() + PROOF_MS_MAX;
  while (ageMs() === undefined && performance.now() < untilMs) await sleep(PROOF_POLL_MS);
}

/** Whether the backtest goes on later: Postgres is away, or another process has taken the lease over. */
const mayPass = (error: unknown) =>
  error instanceof Failure && ['unavailable', 'transient'].includes(error.kind);
