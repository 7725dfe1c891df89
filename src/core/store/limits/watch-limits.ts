/** The limits of a role as a process last read them: twice a second, with the number of processes that share them. */
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';
import { toError } from '../../../kit/words/failure.ts';
import { type Limit, REQUEST_KINDS, WORK_KINDS } from '../../domain/limit.ts';
import { countLimitProcesses, readLimits, WORKER_PROCESS } from './limits.ts';

const EVERY_MS = 500;
const BEAT_EVERY_MS = 2000;

export type LimitWatch = {
  /** The same value until a limit changes. */
  readonly current: () => readonly Limit[];
  /** Live processes of the role, this one included, as Postgres last counted them. */
  readonly processes: () => number;
  readonly [Symbol.dispose]: () => void;
};

/**
 * Fails when the limits cannot be read at first.
 * @param database the probe's: readings that pass would hide from the breaker that work stalls
 */
export async function watchLimits(
  database: Pick<Database, 'query'>,
  log: Pick<Log, 'warn' | 'info'>,
  role: 'api' | 'worker',
): Promise<LimitWatch> {
  const { query } = database;
  const process = role === 'api' ? nameProcess() : WORKER_PROCESS + nameProcess();
  const kinds: readonly string[] = role === 'api' ? REQUEST_KINDS : WORK_KINDS;
  let current: readonly Limit[] = [];
  let processes = 1;
  let beatAtMs = Number.NEGATIVE_INFINITY;
  let isReading = false;
  let hasFailed = false;
  const read = async () => {
    const found = (await readLimits(query)).filter(({ kind }) => kinds.includes(kind));
    if (JSON.stringify(found) !== JSON.stringify(current)) {
      current = found;
      log.info({ limits: found.length }, 'limits');
    }
    if (found.length === 0 || performance.now() - beatAtMs < BEAT_EVERY_MS) return;
    processes = await countLimitProcesses(query, process);
    beatAtMs = performance.now();
  };
  await read();
  const timer = setInterval(async () => {
    if (isReading) return;
    isReading = true;
    try {
      await read();
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) log.warn({ err: toError(error).message }, 'the limits could not be read');
      hasFailed = true;
    } finally {
      isReading = false;
    }
  }, EVERY_MS);
  timer.unref();
  return {
    current: () => current,
    processes: () => processes,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
