/** A worker's own listener: alive, ready, and correct when Redis or Postgres is away. */
import { beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
let url: string;
let port: number;
beforeEach(async () => {
  rig = await createWorkerRig();
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  return () => rig[Symbol.asyncDispose]();
});

const status = async (path: string) =>
  await fetch(`${url}${path}`).then(
    (response) => response.status,
    () => 0,
  );

describe('worker http', () => {
  test('serves liveness, readiness and metrics, and nothing else', async () => {
    rig.startWorker({ RISK_WORKER_PORT: String(port) });
    await waitUntil(async () => (await status('/readyz')) === 200, 10_000, 'readiness');
    expect(await status('/livez')).toBe(200);
    expect(await status('/elsewhere')).toBe(404);
    expect((await fetch(`${url}/livez`, { method: 'POST' })).status).toBe(405);
    const labels = 'role="worker",market="market_0"';
    // Without these lines `increase` would not see the first event.
    for (const line of [
      `risk_dead_letters_total{corridor="US-EG",${labels}} 0`,
      `risk_model_rollbacks_total{corridor="US-EG",${labels}} 0`,
      `risk_rule_failures_total{${labels}} 0`,
      `risk_breaker_opened_total{breaker="postgres",${labels}} 0`,
    ]) {
      const isThere = async () =>
        (await (await fetch(`${url}/metrics`)).text()).includes(`${line}\n`);
      await waitUntil(isThere, 5000, line);
    }
    await rig.send(seeds(20));
    await rig.settled(20);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/risk_transactions_scored_total\{[^}]*corridor="US-EG"[^}]*\} \d+/);
    expect(metrics).toMatch(/risk_score_latency_seconds_count\{[^}]*corridor="US-EG"[^}]*\} 20/);
    expect(metrics).toMatch(/risk_profile_age_seconds_count\{[^}]*corridor="US-EG"[^}]*\} [1-9]/);
    expect(metrics).toMatch(
      /risk_cache_misses_total\{[^}]*cache="folded_profiles",tier="memory"[^}]*\} \d+/,
    );
  });

  test('is not ready while Redis refuses writes, though it answers PING', async () => {
    rig.startWorker({ RISK_WORKER_PORT: String(port) });
    await waitUntil(async () => (await status('/readyz')) === 200, 10_000, 'readiness');
    await rig.commands.config('SET', 'maxmemory', '1');
    await waitUntil(async () => (await status('/readyz')) === 503, 5000, 'the refusal');
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({
      ...{ status: 'unready', redis: 'unavailable', postgres: 'ok' },
    });
    expect(await status('/livez')).toBe(200);
    await rig.commands.config('SET', 'maxmemory', '0');
    await waitUntil(async () => (await status('/readyz')) === 200, 5000, 'readiness');
  });
});

test('a Postgres that takes no writes makes a worker unready, though it answers', async () => {
  rig.startWorker({ RISK_WORKER_PORT: String(port) });
  await waitUntil(async () => (await status('/readyz')) === 200, 10_000, 'readiness');
  // A worker is ready before its start has read the last of what it follows by the connection that is ended below.
  await rig.send(seeds(1));
  await rig.settled(1);
  const { name } = rig.database;
  await rig.database.sql(`alter database ${name} set default_transaction_read_only = on`);
  await rig.database.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = $1 and application_name = 'risk-worker-probe'`,
    [name],
  );
  await waitUntil(async () => (await status('/readyz')) === 503, 10_000, 'the refusal');
  await rig.database.sql(
    `begin read write; alter database ${name} reset default_transaction_read_only; commit`,
  );
  await rig.database.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = $1 and application_name = 'risk-worker-probe'`,
    [name],
  );
  await waitUntil(async () => (await status('/readyz')) === 200, 10_000, 'readiness again');
});
