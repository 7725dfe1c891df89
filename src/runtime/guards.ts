/**
 * What a process knows about the health of its dependencies: a breaker each for Postgres and Redis, one
 * for the streams of each corridor, and the degradation level that follows from them.
 */
import { BREAKER_STATES, type Breaker, createBreaker } from './breaker.ts';
import { createDegradation, type DegradationLevel, levelOfBreakers, worse } from './degradation.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

const LOOK_EVERY_MS = 1000;
/** Of a corridor whose streams cannot be written: its entries wait, others' go on. */
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
  /** Made when it is first asked for; corridors are few. */
  readonly streamsOf: (corridor: string) => Breaker;
  readonly health: Health;
  readonly [Symbol.dispose]: () => void;
};

export type GuardsOptions = {
  readonly metrics: Pick<Metrics, 'breakerState' | 'breakerOpened' | 'degradation'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly isPostgresFailure: (thrown: unknown) => boolean;
  readonly isRedisFailure: (thrown: unknown) => boolean;
  /** Whether what was thrown is the fault of one stream, and not of Redis. */
  readonly isStreamFailure: (thrown: unknown) => boolean;
};

export function createGuards(options: GuardsOptions): Guards {
  const { metrics, log } = options;
  const create = (name: string, isFailure: (thrown: unknown) => boolean): Breaker => {
    metrics.breakerState.set({ breaker: name }, 0);
    return createBreaker({
      name,
      isFailure,
      nowMs: () => performance.now(),
      onChange: (state) => {
        metrics.breakerState.set({ breaker: name }, BREAKER_STATES.indexOf(state));
        if (state === 'open') metrics.breakerOpened.inc({ breaker: name });
        log[state === 'open' ? 'warn' : 'info']({ breaker: name, state }, 'breaker');
        degradation.note();
      },
    });
  };
  const postgres = create('postgres', options.isPostgresFailure);
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
  const degradation = watchDegradation(postgres, redis, metrics);
  const { level } = degradation;
  const shared = () => toNames([postgres, redis]);
  const ownOf = (corridor: string) => toNames([streams.get(corridor)]);
  return {
    ...{ postgres, redis, streamsOf },
    health: {
      level,
      levelOf: (corridor) =>
        ownOf(corridor).length > 0 && level() < CORRIDOR_LEVEL ? CORRIDOR_LEVEL : level(),
      breakers: () => [...shared(), ...toNames([...streams.values()])],
      breakersOf: (corridor) => [...shared(), ...ownOf(corridor)],
    },
    [Symbol.dispose]: degradation[Symbol.dispose],
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
) {
  const take = createDegradation();
  let level: DegradationLevel = 0;
  let peak: DegradationLevel = 0;
  const note = () => {
    peak = worse(peak, levelOfBreakers(postgres.state(), redis.state()));
    level = worse(level, peak);
    degradation.set(level);
  };
  const look = (one: Breaker) => ({ tally: one.takeTally(), stalledMs: one.stalledMs() });
  const timer = setInterval(() => {
    level = take({ postgres: look(postgres), redis: look(redis), breakerLevel: peak });
    peak = 0;
    note();
  }, LOOK_EVERY_MS);
  timer.unref();
  degradation.set(level);
  return {
    level: () => level,
    /** A breaker has changed: what it says counts at once, however short it lasts. */
    note,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
