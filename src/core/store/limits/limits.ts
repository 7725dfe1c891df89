/** Limits in Postgres: a row each scope and kind, and the processes that enforce them. */

import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf, timeText } from '../../../kit/database/statement.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';
import { type Limit, type Rate, REQUEST_KINDS, WORK_KINDS } from '../../domain/limit.ts';

/** Every process reads all of them when one changes, and takes 0.3 ms for so many. */
export const LIMITS_MAX = 1000;

/** Every limit in force: none that is over. */
export const readLimits = rowsOf<Limit>(
  'read-limits',
  `select scope, kind, rate_per_second as "ratePerSecond", burst, version::float8 as version, set_by as "setBy", reason,
          ${timeText('set_at')} as "setAt", ${timeText('ends_at')} as "endsAt",
          case when proposal is not null then json_build_object(
            'rate', case when proposal ->> 'burst' is not null
                         then json_build_object('ratePerSecond', proposal -> 'rate_per_second', 'burst', proposal -> 'burst') end,
            'proposedBy', proposal -> 'proposed_by', 'proposedAt', ${timeText("(proposal ->> 'proposed_at')::timestamptz")},
            'reason', proposal -> 'reason') end as proposal
     from market.limits where ends_at is null or ends_at > clock_timestamp() order by scope, kind`,
);

const BEAT_EVERY_MS = 2000;

export type LimitWatch = Awaited<ReturnType<typeof watchLimits>>;

/** An expression: which versions of these kinds are in force. A limit that was removed and set again has another time. */
export const limitsMark = (kinds: readonly string[]) => `(select md5(string_agg(
    concat_ws(' ', scope, kind, version, extract(epoch from set_at)), ',' order by scope, kind))
  from market.limits
 where kind in (${kinds.map((kind) => `'${kind}'`).join(', ')}) and (ends_at is null or ends_at > clock_timestamp()))`;

const lockLimits = rowsOf('lock-limits', 'lock table market.limits in share row exclusive mode');
const setStatement = rowsOf<
  object,
  [
    scope: string,
    kind: string,
    rate: number,
    burst: number,
    by: string,
    reason: string,
    endsAt: string | null,
  ]
>(
  'set-limit',
  `insert into market.limits as old (scope, kind, rate_per_second, burst, set_by, reason, ends_at)
   values ($1, $2, $3, $4, $5, $6, $7)
   on conflict (scope, kind) do update
      set rate_per_second = excluded.rate_per_second, burst = excluded.burst, version = old.version + 1,
          set_by = excluded.set_by, reason = excluded.reason, set_at = now(), ends_at = excluded.ends_at, proposal = null`,
);
const proposeStatement = rowsOf<
  object,
  [scope: string, kind: string, rate: number | null, burst: number | null, by: string, why: string]
>(
  'propose-limit',
  `update market.limits
      set version = version + 1,
          proposal = jsonb_build_object('rate_per_second', $3::double precision, 'burst', $4::int,
                                        'proposed_by', $5::text, 'proposed_at', clock_timestamp(), 'reason', $6::text)
    where scope = $1 and kind = $2`,
);
const removeStatement = rowsOf<object, [scope: string, kind: string]>(
  'remove-limit',
  'delete from market.limits where scope = $1 and kind = $2',
);

export type Change = { readonly by: string; readonly reason: string };

/** A limit, within a database transaction in which nobody else changes a limit. */
export type LimitChange = {
  readonly all: readonly Limit[];
  readonly set: (rate: Rate, change: Change & Partial<Pick<Limit, 'endsAt'>>) => Promise<unknown>;
  readonly propose: (rate: Rate | null, change: Change) => Promise<unknown>;
  readonly remove: () => Promise<unknown>;
};

export async function changeLimits<T>(
  database: Pick<Database, 'transaction'>,
  { scope, kind }: Pick<Limit, 'scope' | 'kind'>,
  work: (query: Query, change: LimitChange) => Promise<T>,
): Promise<T> {
  return await database.transaction(async (query) => {
    await lockLimits(query);
    return await work(query, {
      all: await readLimits(query),
      set: ({ ratePerSecond, burst }, { by, reason, endsAt = null }) =>
        setStatement(query, scope, kind, ratePerSecond, burst, by, reason, endsAt),
      propose: (rate, { by, reason }) =>
        proposeStatement(
          query,
          scope,
          kind,
          rate?.ratePerSecond ?? null,
          rate?.burst ?? null,
          by,
          reason,
        ),
      remove: () => removeStatement(query, scope, kind),
    });
  });
}

/** In front of the names of workers, which share other limits than API processes. */
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
 * The limits of a role as a process last read them, with the number of processes that share them.
 * Fails when the limits cannot be read at first.
 * @param database the probe's: readings that pass would hide from the breaker that work stalls
 */
export async function watchLimits(
  { query }: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'info'>,
  role: 'api' | 'worker',
) {
  const process = role === 'api' ? nameProcess() : WORKER_PROCESS + nameProcess();
  const kinds: readonly string[] = role === 'api' ? REQUEST_KINDS : WORK_KINDS;
  let current: readonly Limit[] = [];
  let processes = 1;
  /** Processes are counted only while there are limits to share. */
  const beat = async () => {
    if (current.length > 0) ({ processes } = await noteLive(query, process));
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
    /** The same value until a limit changes. */
    current: () => current,
    /** Live processes of the role, this one included, as Postgres last counted them. */
    processes: () => processes,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
