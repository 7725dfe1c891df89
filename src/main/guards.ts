/** The breakers of a process, bound to its adapters; the API and the worker use them. */
import { proveWrite } from '../core/store/write-probe.ts';
import { claimIdentity } from '../core/stream/identity.ts';
import { marketKeys } from '../core/stream/keys.ts';
import { watchBreaker } from '../kit/breakers/breaker.ts';
import { createGuards, type Guards } from '../kit/breakers/guards.ts';
import type { Config } from '../kit/config/config.ts';
import type { Probe } from '../kit/database/open-database.ts';
import { isPoolBusy, isPostgresOutage, isStuck } from '../kit/database/outage.ts';
import type { Log } from '../kit/metrics/log.ts';
import type { Metrics } from '../kit/metrics/metrics.ts';
import type { RedisClient } from '../kit/redis/connection.ts';
import { isRedisOutage, isStreamAtFault } from '../kit/redis/outage.ts';
import { Failure } from '../kit/words/failure.ts';
import { watchRights } from './rights.ts';
import { createReadiness } from './vital-signs.ts';

const PROBE_SECONDS = 60;
/** How soon a lost connection of the probe is replaced: a statement that is slow within this time may trip the breaker. */
const CONNECT_EVERY_MS = 250;

/**
 * A full Redis refuses the API's appends, but lets workers drain it, which frees memory. So it counts as
 * healthy for workers.
 */
function isFull(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === 'REDIS_OOM';
}

export function bindGuards(
  config: Pick<Config, 'RISK_DATABASE_CONNECTIONS_MAX' | 'RISK_CONNECT_TIMEOUT_MS'>,
  metrics: Metrics,
  log: Log,
  role: 'api' | 'worker',
): Guards {
  return createGuards({
    metrics,
    log,
    isPostgresFailure: isPostgresOutage,
    isPoolBusy,
    isRedisFailure: (thrown) => isRedisOutage(thrown) && !(role === 'worker' && isFull(thrown)),
    isStreamFailure: isStreamAtFault,
    isStuck,
    pool: {
      connectionsMax: config.RISK_DATABASE_CONNECTIONS_MAX,
      waitMs: config.RISK_CONNECT_TIMEOUT_MS,
    },
  });
}

/**
 * Probes both by writing: a store that is full, demoted or cannot persist still answers a ping. Resolves once the probe of
 * Postgres is connected or has failed to connect.
 */
export async function watchGuards(
  { postgres, redis: redisBreaker }: Guards,
  probe: Probe,
  redis: RedisClient,
  market: string,
): Promise<Disposable> {
  using stack = new DisposableStack();
  stack.use(await connectAgain(probe));
  stack.use(watchBreaker(postgres, () => proveWrite(probe.prove)));
  stack.use(watchBreaker(redisBreaker, () => claimIdentity(redis, market)));
  return stack.move();
}

/**
 * Connects the probe before it is needed. A busy server that answers statements may take longer to connect than a probe may
 * take, so the breaker would trip for a server that is only slow.
 */
async function connectAgain(probe: Probe): Promise<Disposable> {
  const connect = async () => {
    if (probe.usage().total === 0) await proveWrite(probe.prove).catch(() => undefined);
  };
  await connect();
  const timer = setInterval(connect, CONNECT_EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** For the readiness of a worker: whether each store takes a write, and what the store refuses. */
export function watchStores(
  probe: Probe,
  redis: RedisClient,
  market: string,
  log: Pick<Log, 'warn'>,
) {
  const readiness = createReadiness({
    postgres: () => proveWrite(probe.prove).then(() => true),
    redis: async () =>
      (await redis.set(marketKeys(market).probe, '1', 'EX', PROBE_SECONDS)) === 'OK',
  });
  const needs = ['postgres', 'redis'] as const;
  return { ...watchRights(probe, redis, market, log), readiness, needs };
}
