/**
 * A corridor is stopped and started over HTTP while two workers score it, Redis and a worker frozen (SIGSTOP) for some of the
 * changes. Postgres says when the commit of each score was (`track_commit_timestamp`): none lies between the answer of a stop and
 * the next start, by the clock of Postgres itself.
 */
import { readMetrics } from '../../bench/support/metrics.ts';
import { percentiles } from '../../bench/support/percentiles.ts';
import { integerBetween, type Random } from '../../src/kit/random.ts';
import { type Load, startLoad } from '../chaos/support/load.ts';
import type { Scenario, Stage } from '../chaos/support/scenario.ts';

const CORRIDOR = 'US-EG';
const OTHER_CORRIDOR = 'US-MX';
const FLIPS = 1000;
const FLIPS_QUICK = 200;
/** Rests shorter than a worker takes to read a control leave the refusal to the statement; longer rests leave the refusal to the worker. */
const BETWEEN_MS = [20, 500] as const;
/** Larger: Redis has no room for all events, which the checker looks for; smaller: few flips meet a store. */
const RATE = 100;
const BATCH = 10;
/** Every so many flips meet a Redis, and as many a worker, that is frozen from this long before until this long after. */
const FROZEN_EVERY = 9;
const FROZEN_MS = [20, 400] as const;
const FLIP_MS_MAX = 1000;

export const LATE = 'scores of a stopped corridor';
export const FLIP_BARS = ['flips, p50 ms', 'flips, p99 ms', 'flips, max ms'] as const;
const FAULTS = ['redis frozen', 'worker frozen'] as const;

type Flip = {
  readonly frozen: (typeof FAULTS)[number] | undefined;
  /** How long what is frozen stays so before the flip, and after its answer. */
  readonly frozenMs: readonly [before: number, after: number];
  readonly restMs: number;
};

/** With an odd number of them, stops and starts meet each fault. */
function drawFlip(random: Random, at: number): Flip {
  return {
    frozen: FAULTS[at % FROZEN_EVERY],
    frozenMs: [integerBetween(random, ...FROZEN_MS), integerBetween(random, ...FROZEN_MS)],
    restMs: integerBetween(random, ...BETWEEN_MS),
  };
}

/** The time of the database at which a stop had been answered, and that before its end was asked for. */
type Stopped = { readonly from: string; readonly until: string };

export const switchFlips: Scenario = {
  name: 'switch-flips',
  what: 'a corridor is stopped and started again and again while workers score it',
  setup: {
    corridor: CORRIDOR,
    rate: RATE,
    batch: BATCH,
    postgresSettings: { track_commit_timestamp: 'on' },
  },
  plan: (random, { isQuick }) => {
    const flips = isQuick ? FLIPS_QUICK : FLIPS;
    const drawn = Array.from({ length: flips }, (_, at) => drawFlip(random, at));
    const stopped: Stopped[] = [];
    const flipMs: number[] = [];
    return {
      schedule: [
        `${flips} flips of corridor:${CORRIDOR}, in every ${FROZEN_EVERY} one with each of`,
        ...FAULTS,
      ],
      faults: FAULTS,
      run: async (stage) => {
        const other = startOther(stage);
        let stoppedFrom = '';
        for (const [at, one] of drawn.entries()) {
          const isStop = at % 2 === 0;
          const times = await runFlip(stage, one, isStop);
          flipMs.push(times.ms);
          if (isStop) stoppedFrom = times.answered;
          else stopped.push({ from: stoppedFrom, until: times.asked });
        }
        await other.finish();
      },
      judge: async (stage) => {
        const { bar, services, engine, signal } = stage;
        const [found] = await services.query<{ late: number; timely: number }>(COMMITTED, [
          CORRIDOR,
          stopped.map(({ from }) => from),
          stopped.map(({ until }) => until),
        ]);
        bar(LATE, found?.late ?? Number.NaN, { exactly: 0 });
        bar('scores of it while it was started', found?.timely ?? 0, { atLeast: 1 });
        let held = 0;
        for (const worker of engine.running('worker')) {
          held += (await readMetrics(worker, signal)).sum('risk_transactions_on_hold_total');
        }
        bar('transactions that workers held', held, { atLeast: 1 });
        bar('flips', flipMs.length, { exactly: flips });
        const { p50, p99, max } = percentiles(flipMs);
        for (const [at, ms] of [p50, p99, max].entries()) {
          bar(FLIP_BARS[at] ?? '', Math.round(ms), { atMost: FLIP_MS_MAX });
        }
      },
    };
  },
};

const COMMITTED = `
  with stopped as (select * from unnest($2::timestamptz[], $3::timestamptz[]) as s (since, until)),
       committed as (select pg_xact_commit_timestamp(xmin) as at from scores where corridor = $1)
  select count(*) filter (where is_late)::int as late, count(*) filter (where not is_late)::int as timely
    from (select exists (select from stopped where at > since and at < until) as is_late from committed) c`;

function startOther({ engine, ledger, seed, signal }: Stage): Load {
  return startLoad({
    urls: engine.apiUrls,
    apiKey: engine.apiKey,
    ledger,
    seed: `${seed}/other`,
    corridor: OTHER_CORRIDOR,
    rate: RATE,
    batch: BATCH,
    connections: 2,
    signal,
  });
}

/** When the flip was asked for and answered, by the clock of Postgres. */
type Times = { readonly asked: string; readonly answered: string; readonly ms: number };

async function runFlip(
  stage: Stage,
  { frozen, frozenMs: [beforeMs, afterMs], restMs }: Flip,
  isStop: boolean,
): Promise<Times> {
  const thaw = frozen === undefined ? () => undefined : freeze(stage, frozen);
  try {
    if (frozen !== undefined) await stage.pause(beforeMs);
    const asked = await now(stage);
    const ms = await flip(stage, isStop);
    const answered = await now(stage);
    if (frozen !== undefined) await stage.pause(afterMs);
    thaw();
    await stage.pause(restMs);
    return { asked, answered, ms };
  } finally {
    thaw();
  }
}

function freeze({ engine, services, happened }: Stage, what: (typeof FAULTS)[number]): () => void {
  happened(what);
  const pid = what === 'redis frozen' ? services.redis.pid() : engine.process('worker-1').pid;
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}

async function now({ services }: Stage): Promise<string> {
  const [row] = await services.query<{ at: string }>('select clock_timestamp()::text as at');
  if (row === undefined) throw new Error('a clock was not read');
  return row.at;
}

/** Milliseconds until the answer. */
async function flip({ engine }: Stage, in_force: boolean): Promise<number> {
  const began = performance.now();
  const path = `/v1/controls/stop/corridor:${CORRIDOR}`;
  await engine.ask('PUT', path, { in_force, reason: 'a proof' });
  return performance.now() - began;
}
