/** The listener of a worker or trainer: the health routes of the API on a port of their own, where `/metrics` needs no key. */
import type { Config } from '../kit/config/config.ts';
import { serve, toListener } from '../kit/http/serve.ts';
import type { Log } from '../kit/metrics/log.ts';
import type { Metrics } from '../kit/metrics/metrics.ts';
import { createApp } from './http/app.ts';
import { type HealthDependencies, healthRoutes, type Vitals } from './http/health.ts';

const TIMEOUT_MS = 10_000;

export async function serveHealth(
  { HOST: host, RISK_WORKER_PORT: port, RISK_MARKET: market }: Config,
  metrics: Pick<Metrics, 'registry' | 'httpDuration'>,
  log: Log,
  {
    isAlive,
    draining,
    ...vitals
  }: Pick<HealthDependencies, 'isAlive' | 'draining'> & Omit<Vitals, 'replica'>,
): Promise<AsyncDisposable> {
  const routes = healthRoutes({
    isAlive,
    draining,
    vitals: new Map([[market, () => ({ ...vitals, replica: () => null })]]),
    metrics: metrics.registry,
  });
  const app = createApp({
    log,
    metrics,
    degradation: { level: vitals.health.level, levelOf: vitals.health.level },
    routes: [routes],
    // Nothing is served below /v1, where a key would be needed.
    authenticate: async () => undefined,
    timeoutMs: TIMEOUT_MS,
    waitMsMax: 0,
  });
  const setting = 'RISK_WORKER_PORT';
  const serving = await serve(toListener(app), { host, port, setting, log });
  return { [Symbol.asyncDispose]: serving.close };
}
