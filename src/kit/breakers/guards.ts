/**
 * The state of a process' dependencies: a breaker each for Postgres and Redis, two for the streams and the commits of each
 * corridor, and the degradation levels that follow from them.
 */
import type { Log } from '../metrics/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { toError } from '../words/failure.ts';
import { breakerOf, MODEL_OUT_LEVEL, type ModelOut } from '../words/model-out.ts';
import { BREAKER_STATES, type Breaker, type BreakerState, createBreaker } from './breaker.ts';
import {
  CORRIDOR_STUCK,
  type CommitPool,
  type CorridorWrites,
  createCorridorWrites,
  WRITES_SETTINGS,
} from './corridor-writes.ts';
import {
  createDegradation,
  type DegradationLevel,
  type DependencyLook,
  levelOfBreakers,
  worse,
} from './degradation.ts';

const MEASURE_EVERY_MS = 1000;
const FIRST_SHARD = '0';
/** Level of a corridor whose streams cannot be written: its entries wait, others' go on. */
const CORRIDOR_LEVEL = 2;

export type Health = ReturnType<typeof createHealth>;

export type Guards = ReturnType<typeof createGuards>;

type LevelByHand = (corridor: string | null) => DegradationLevel;

type LevelMetric = 'degradation' | 'corridorDegradation';

type GuardsOptions = {
  readonly metrics: Pick<Metrics, 'breakerState' | 'breakerOpened' | LevelMetric>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly isPostgresFailure: (thrown: unknown) => boolean;
  /** Whether a call was refused here, before it reached Postgres. */
  readonly isPoolBusy: (thrown: unknown) => boolean;
  readonly isRedisFailure: (thrown: unknown) => boolean;
  /** Whether the error is the fault of one stream, and not of Redis. */
  readonly isStreamFailure: (thrown: unknown) => boolean;
  /** Whether a healthy Postgres did not carry a commit out in its time. */
  readonly isStuck: (thrown: unknown) => boolean;
  readonly pool: CommitPool;
};

export function createGuards(options: GuardsOptions) {
  const { metrics, isStuck, pool } = options;
  const report = createReport(options);
  const make = createMaker(metrics, report);
  const note = () => degradation.note();
  const isOwn = options.isPoolBusy;
  const postgres = make({ name: 'postgres', isFailure: options.isPostgresFailure, isOwn }, note);
  const redis = make({ name: 'redis', isFailure: options.isRedisFailure }, note);
  const streams = new Map<string, Breaker>();
  const streamsOf = (corridor: string, shard = FIRST_SHARD) => {
    const stream = `${corridor}:${shard}`;
    let breaker = streams.get(stream);
    if (breaker === undefined) {
      const name = `streams:${shard === FIRST_SHARD ? corridor : stream}`;
      breaker = make({ name, isFailure: options.isStreamFailure }, note);
      streams.set(stream, breaker);
    }
    return breaker;
  };
  const writes = createCorridorWrites(
    (corridor, noteWrites) => make(writesOptions(corridor, isStuck), noteWrites),
    postgres,
    pool,
    nowMs,
  );
  const models = createModelBreakers(report);
  let byHand: LevelByHand = () => 0;
  let corridors: () => Iterable<string> = () => [];
  const health = createHealth({
    postgres,
    redis,
    streams,
    writes,
    models,
    byHand: (corridor) => byHand(corridor),
    measured: () => degradation.level(),
  });
  const showCorridors = () => {
    for (const corridor of corridors())
      metrics.corridorDegradation.set({ corridor }, health.levelOf(corridor));
  };
  const degradation = watchDegradation(postgres, redis, metrics, {
    byHand: () => byHand(null),
    lookAtCorridors: writes.look,
    onLook: () => {
      writes.refuseStuck();
      showCorridors();
    },
  });
  return {
    postgres,
    redis,
    /** Each stream has a breaker, created on the first request: an answer of another stream proves nothing about a stream that fails. */
    streamsOf,
    /** Commits of accepted transactions. */
    writes,
    health,
    /** Models that are suspended or refused now: each counts as an open breaker. */
    reportModels: models.report,
    /**
     * Gives the least level, which people have set: of a corridor, or of the process where the corridor is null.
     * @param shownCorridors whose levels are shown in metrics
     */
    raiseTo(levelByHand: LevelByHand, shownCorridors: () => Iterable<string>) {
      byHand = levelByHand;
      corridors = shownCorridors;
      showCorridors();
    },
    [Symbol.dispose]: degradation[Symbol.dispose],
  };
}

const nowMs = () => performance.now();

type OwnOptions = Omit<Parameters<typeof createBreaker>[0], 'nowMs' | 'onChange' | 'isOwn'> &
  Partial<Pick<Parameters<typeof createBreaker>[0], 'isOwn'>>;

/** Makes breakers whose changes are reported and noted. */
const createMaker =
  ({ breakerState, breakerOpened }: GuardsOptions['metrics'], report: Report) =>
  (options: OwnOptions, note: () => void): Breaker => {
    const { name } = options;
    breakerState.set({ breaker: name }, 0);
    breakerOpened.inc({ breaker: name }, 0);
    const onChange = (state: BreakerState, cause?: unknown) => {
      report(name, state, cause);
      note();
    };
    return createBreaker({ isOwn: () => false, nowMs, ...options, onChange });
  };

type HealthParts = {
  readonly postgres: Breaker;
  readonly redis: Breaker;
  readonly writes: CorridorWrites;
  readonly streams: ReadonlyMap<string, Breaker>;
  readonly models: ReturnType<typeof createModelBreakers>;
  readonly byHand: LevelByHand;
  /** The level of the process without what people have set. */
  readonly measured: () => DegradationLevel;
};

function createHealth(parts: HealthParts) {
  const { postgres, redis, streams, writes, models, byHand, measured } = parts;
  const level = () => worse(measured(), byHand(null));
  const shared = () => toNames([postgres, redis]);
  const streamsOf = (corridor: string) =>
    [...streams].flatMap(([stream, breaker]) => (stream.startsWith(`${corridor}:`) ? breaker : []));
  const ownOf = (corridor: string) => toNames([...streamsOf(corridor), writes.breakerOf(corridor)]);
  const breakersOf = (corridor: string) => [
    ...shared(),
    ...ownOf(corridor),
    ...models.of(corridor),
  ];
  const isSlow = (corridor: string) =>
    writes.levelOf(corridor) > 0 && toNames([writes.breakerOf(corridor)]).length === 0;
  return {
    level,
    levelOf: (corridor: string) => {
      const levels: DegradationLevel[] = [
        toNames(streamsOf(corridor)).length > 0 ? CORRIDOR_LEVEL : 0,
        writes.levelOf(corridor),
        models.of(corridor).length > 0 ? MODEL_OUT_LEVEL : 0,
        byHand(corridor),
        level(),
      ];
      return levels.reduce(worse);
    },
    /** Breakers of the process that are not closed, as `NAME:STATE`. */
    breakers: () => [
      ...shared(),
      ...toNames([...streams.values(), ...writes.breakers()]),
      ...models.all(),
    ],
    breakersOf,
    /** Breakers that are not closed, and what is slow or fails with closed ones; of the process where the corridor is null. */
    causesOf: (corridor: string | null) => [
      ...(corridor === null ? shared() : breakersOf(corridor)),
      ...(measured() > 0 && shared().length === 0 ? ['stores:slow'] : []),
      ...(corridor !== null && isSlow(corridor) ? [`writes:${corridor}:slow`] : []),
    ],
  };
}

/** Other failures than those of a held up commit are of the data, of the caller or of Postgres as a whole. */
const writesOptions = (corridor: string, isStuck: (thrown: unknown) => boolean) => ({
  name: `writes:${corridor}`,
  isFailure: isStuck,
  isOwn: (thrown: unknown) => !isStuck(thrown),
  settings: WRITES_SETTINGS,
  refusal: {
    code: CORRIDOR_STUCK,
    message: `transactions of the corridor ${corridor} cannot be committed now; a repetition with the same key is safe`,
  },
});

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
  const openOf = (list: Iterable<ModelOut>) =>
    Array.from(list, (model) => `${breakerOf(model)}:open`);
  return {
    report(list: readonly ModelOut[]) {
      const before = out;
      out = new Map(list.map((model) => [breakerOf(model), model]));
      for (const name of before.keys()) if (!out.has(name)) report(name, 'closed');
      for (const name of out.keys()) if (!before.has(name)) report(name, 'open');
    },
    all: () => openOf(out.values()),
    of: (corridor: string) =>
      openOf([...out.values()].filter((model) => model.corridor === corridor)),
  };
}

function toNames(breakers: readonly (Breaker | undefined)[]): string[] {
  return breakers.flatMap((breaker) =>
    breaker === undefined || breaker.state() === 'closed'
      ? []
      : `${breaker.name}:${breaker.state()}`,
  );
}

type WatchOptions = {
  readonly byHand: () => DegradationLevel;
  /** Looks of corridors that count for the process. */
  readonly lookAtCorridors: () => readonly DependencyLook[];
  /** Called once a second, after the level was measured. */
  readonly onLook: () => void;
};

function watchDegradation(
  postgres: Breaker,
  redis: Breaker,
  { degradation }: Pick<Metrics, 'degradation'>,
  { byHand, lookAtCorridors, onLook }: WatchOptions,
) {
  const take = createDegradation();
  let level: DegradationLevel = 0;
  let peak: DegradationLevel = 0;
  const note = () => {
    peak = worse(peak, levelOfBreakers(postgres.state(), redis.state()));
    level = worse(level, peak);
    degradation.set(worse(level, byHand()));
  };
  const measure = (breaker: Breaker) => ({
    tally: breaker.takeTally(),
    stalledMs: breaker.stalledMs('measured'),
  });
  const timer = setInterval(() => {
    const dependencies = [measure(postgres), measure(redis), ...lookAtCorridors()];
    level = take({ dependencies, breakerLevel: peak });
    peak = 0;
    note();
    onLook();
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
