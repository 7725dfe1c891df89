/** Processes that share limits, in Postgres: without Redis each grants its part. */

import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';
import { type Controls, limitsOf } from '../../domain/control.ts';
import { type Limit, REQUEST_UNITS, WORK_UNITS } from '../../domain/limit.ts';

/** Longer: a limit is shared among too few processes for longer. Shorter: more writes while there is a limit. */
const BEAT_EVERY_MS = 2000;

export type LimitWatch = ReturnType<typeof watchLimits>;

/** The prefix of the names of workers, which share other limits than API processes. */
const WORKER_PROCESS = 'worker/';

/**
 * Says that a process lives, and counts how many of its role live. A process that was not seen for 10 s has ended.
 */
const noteLive = onlyOf<{ processes: number }, [process: string]>(
  'beat-limit-process',
  `with beat as (
     insert into market.limit_processes (process) values ($1)
     on conflict (process) do update set seen_at = now()
   ), gone as (
     delete from market.limit_processes where seen_at < now() - interval '1 minute' and process <> $1
   )
   select 1 + count(*)::int as processes from market.limit_processes
    where process <> $1 and seen_at > now() - interval '10 seconds'
      and starts_with(process, '${WORKER_PROCESS}') = starts_with($1, '${WORKER_PROCESS}')`,
);

/**
 * The limits of a role among the controls that its process last read, with the number of processes that share the limits.
 * @param database the probe's pool: on the pool of work, quick readings would hide from the breaker that work stalls
 */
export function watchLimits(
  { query }: Pick<Database, 'query'>,
  controls: () => Controls,
  role: 'api' | 'worker',
) {
  const process = role === 'api' ? nameProcess() : WORKER_PROCESS + nameProcess();
  const units = role === 'api' ? REQUEST_UNITS : WORK_UNITS;
  let read: Controls | undefined;
  let limits: readonly Limit[] = [];
  let processes = 1;
  /** Processes are counted only while there are limits to share. Without Postgres the last count stands. */
  const beat = async () => {
    if (limits.length > 0) ({ processes } = await noteLive(query, process));
  };
  const current = () => {
    const now = controls();
    if (read === now) return limits;
    limits = limitsOf(now, units);
    read = now;
    void beat().catch(() => undefined);
    return limits;
  };
  const timer = setInterval(() => void beat().catch(() => undefined), BEAT_EVERY_MS);
  timer.unref();
  return {
    /** The same value until a control changes. */
    current,
    /** Live processes of the role, this one included, as Postgres last counted them. */
    processes: () => processes,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
