/** A worker's listener: the health routes of the API on a port of their own, where `/metrics` needs no key. */
import type { Config } from '../config/config.ts';
import type { Log } from '../metrics/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { createApp } from './app.ts';
import { type HealthDependencies, healthRoutes } from './health.ts';
import { serve } from './serve.ts';

const TIMEOUT_MS = 10_000;

export async function serveHealth(
  { HOST: host, RISK_WORKER_PORT: port }: Config,
  metrics: Metrics,
  log: Log,
  vitals: Pick<HealthDependencies, 'isAlive' | 'readiness' | 'health' | 'draining'>,
): Promise<AsyncDisposable> {
  const routes = healthRoutes({
    ...vitals,
    needs: ['postgres', 'redis'],
    replica: () => null,
    metrics: metrics.registry,
  });
  const app = createApp({
    log,
    metrics,
    degradation: vitals.health.level,
    routes: [routes],
    // Nothing is served below /v1, where a key would be needed.
    authenticate: async () => undefined,
    timeoutMs: TIMEOUT_MS,
    waitMsMax: 0,
  });
  const setting = 'RISK_WORKER_PORT';
  const serving = await serve(app, {
    host,
    port,
    mayMove: false,
    setting,
    gate: (listener) => listener,
  });
  return { [Symbol.asyncDispose]: serving.close };
}
