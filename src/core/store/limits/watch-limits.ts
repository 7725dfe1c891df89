/** The limits of a role as a process last read them, with the number of processes that share them. */
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';
import { type Limit, REQUEST_KINDS, WORK_KINDS } from '../../domain/limit.ts';
import { countLimitProcesses, limitsMark, readLimits, WORKER_PROCESS } from './limits.ts';

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
  { query }: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'info'>,
  role: 'api' | 'worker',
): Promise<LimitWatch> {
  const process = role === 'api' ? nameProcess() : WORKER_PROCESS + nameProcess();
  const kinds: readonly string[] = role === 'api' ? REQUEST_KINDS : WORK_KINDS;
  let current: readonly Limit[] = [];
  let processes = 1;
  /** Processes are counted only while there are limits to share. */
  const beat = async () => {
    if (current.length > 0) processes = await countLimitProcesses(query, process);
  };
  const { refresh } = changes.follow({
    name: 'limits',
    mark: limitsMark(kinds),
    async load() {
      const found = (await readLimits(query)).filter(({ kind }) => kinds.includes(kind));
      if (found.length + current.length > 0) log.info({ limits: found.length }, 'limits');
      current = found;
      await beat();
    },
  });
  await refresh();
  // Without Postgres the last count stands.
  const timer = setInterval(() => void beat().catch(() => undefined), BEAT_EVERY_MS);
  timer.unref();
  return {
    current: () => current,
    processes: () => processes,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
