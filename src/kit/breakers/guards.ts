/**
 * The state of a process' dependencies: a breaker each for Postgres and Redis, one for the streams of each
 * corridor, and the degradation level that follows from them.
 */
import type { Log } from '../metrics/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { toError } from '../words/failure.ts';
import { breakerOf, MODEL_OUT_LEVEL, type ModelOut } from '../words/model-out.ts';
import { BREAKER_STATES, type Breaker, type BreakerState, createBreaker } from './breaker.ts';
import { createDegradation, type DegradationLevel, levelOfBreakers, worse } from './degradation.ts';

const MEASURE_EVERY_MS = 1000;
/** Level of a corridor whose streams cannot be written: its entries wait, others' go on. */
const CORRIDOR_LEVEL = 2;

export type Health = {
  readonly level: () => DegradationLevel;
  readonly levelOf: (corridor: string) => DegradationLevel;
  /** Breakers of the process that are not closed, as `NAME:STATE`. */
  readonly breakers: () => string[];
  readonly breakersOf: (corridor: string) => string[];
};

export type Guards = {
  readonly postgres: Breaker;
  readonly redis: Breaker;
  /** Created on the first request; corridors are few. */
  readonly streamsOf: (corridor: string) => Breaker;
  /** Models that are suspended or refused now: each counts as an open breaker. */
  readonly reportModels: (out: readonly ModelOut[]) => void;
  /** Gives the least level, which people have set: of a corridor, or of the process where it is null. */
  readonly raiseTo: (levelByHand: LevelByHand) => void;
  readonly health: Health;
  readonly [Symbol.dispose]: () => void;
};

type LevelByHand = (corridor: string | null) => DegradationLevel;

type GuardsOptions = {
  readonly metrics: Pick<Metrics, 'breakerState' | 'breakerOpened' | 'degradation'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly isPostgresFailure: (thrown: unknown) => boolean;
  /** Whether a call was refused here, before it reached Postgres. */
  readonly isPoolBusy: (thrown: unknown) => boolean;
  readonly isRedisFailure: (thrown: unknown) => boolean;
  /** Whether the error is the fault of one stream, and not of Redis. */
  readonly isStreamFailure: (thrown: unknown) => boolean;
};

export function createGuards(options: GuardsOptions): Guards {
  const { metrics } = options;
  const report = createReport(options);
  const create = (
    name: string,
    isFailure: (thrown: unknown) => boolean,
    isOwn: (thrown: unknown) => boolean = () => false,
  ): Breaker => {
    metrics.breakerState.set({ breaker: name }, 0);
    return createBreaker({
      name,
      isFailure,
      isOwn,
      nowMs: () => performance.now(),
      onChange: (state, cause) => {
        report(name, state, cause);
        degradation.note();
      },
    });
  };
  const postgres = create('postgres', options.isPostgresFailure, options.isPoolBusy);
  const redis = create('redis', options.isRedisFailure);
  const streams = new Map<string, Breaker>();
  const streamsOf = (corridor: string) => {
    let breaker = streams.get(corridor);
    if (breaker === undefined) {
      breaker = create(`streams:${corridor}`, options.isStreamFailure);
      streams.set(corridor, breaker);
    }
    return breaker;
  };
  let byHand: LevelByHand = () => 0;
  const degradation = watchDegradation(postgres, redis, metrics, () => byHand(null));
  const level = () => worse(degradation.level(), byHand(null));
  const models = createModelBreakers(report);
  const shared = () => toNames([postgres, redis]);
  const ownOf = (corridor: string) => toNames([streams.get(corridor)]);
  const levelOf = (corridor: string) => {
    const own = ownOf(corridor).length > 0 ? CORRIDOR_LEVEL : 0;
    const measured = worse(own, models.of(corridor).length > 0 ? MODEL_OUT_LEVEL : 0);
    return worse(worse(measured, byHand(corridor)), level());
  };
  return {
    postgres,
    redis,
    streamsOf,
    reportModels: models.report,
    raiseTo(levelByHand) {
      byHand = levelByHand;
    },
    health: {
      level,
      levelOf,
      breakers: () => [...shared(), ...toNames([...streams.values()]), ...models.all()],
      breakersOf: (corridor) => [...shared(), ...ownOf(corridor), ...models.of(corridor)],
    },
    [Symbol.dispose]: degradation[Symbol.dispose],
  };
}

type Report = (breaker: string, state: BreakerState, cause?: unknown) => void;

/** Shows a breaker that has changed in metrics and log. */
function createReport({ metrics, log }: GuardsOptions): Report {
  return (breaker, state, thrown) => {
    metrics.breakerState.set({ breaker }, BREAKER_STATES.indexOf(state));
    if (state === 'open') metrics.breakerOpened.inc({ breaker });
    const cause = thrown === undefined ? undefined : toError(thrown).message;
    log[state === 'open' ? 'warn' : 'info']({ breaker, state, cause }, 'breaker');
  };
}

/** Models track their own health; here it is reported like that of every other dependency. */
function createModelBreakers(report: Report) {
  let out: ReadonlyMap<string, ModelOut> = new Map();
  const openOf = (list: Iterable<ModelOut>) => Array.from(list, (one) => `${breakerOf(one)}:open`);
  return {
    report(list: readonly ModelOut[]) {
      const before = out;
      out = new Map(list.map((one) => [breakerOf(one), one]));
      for (const name of before.keys()) if (!out.has(name)) report(name, 'closed');
      for (const name of out.keys()) if (!before.has(name)) report(name, 'open');
    },
    all: () => openOf(out.values()),
    of: (corridor: string) => openOf([...out.values()].filter((one) => one.corridor === corridor)),
  };
}

function toNames(breakers: readonly (Breaker | undefined)[]): string[] {
  return breakers.flatMap((breaker) =>
    breaker === undefined || breaker.state() === 'closed'
      ? []
      : `${breaker.name}:${breaker.state()}`,
  );
}

function watchDegradation(
  postgres: Breaker,
  redis: Breaker,
  { degradation }: Pick<Metrics, 'degradation'>,
  byHand: () => DegradationLevel,
) {
  const take = createDegradation();
  let level: DegradationLevel = 0;
  let peak: DegradationLevel = 0;
  const note = () => {
    peak = worse(peak, levelOfBreakers(postgres.state(), redis.state()));
    level = worse(level, peak);
    degradation.set(worse(level, byHand()));
  };
  const measure = (one: Breaker) => ({ tally: one.takeTally(), stalledMs: one.stalledMs() });
  const timer = setInterval(() => {
    level = take({ postgres: measure(postgres), redis: measure(redis), breakerLevel: peak });
    peak = 0;
    note();
  }, MEASURE_EVERY_MS);
  timer.unref();
  degradation.set(level);
  return {
    level: () => level,
    /** A breaker has changed: its state counts at once, even if it lasts only a moment. */
    note,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
