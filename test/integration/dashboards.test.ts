/**
 * Goal: what dashboards ask for is at /metrics. Method: every metric of every expression is looked up in what an API and a
 * worker answer to a scrape, after a transaction was scored.
 */
import { expect, test } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { DASHBOARDS, queriesOf } from '../support/dashboards.ts';
import { startRunningApi } from '../support/running-api.ts';
import { input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Names of metrics in the text of a scrape, with those of the lines of histograms. */
function namesOf(text: string): string[] {
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', kind]) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
}

test('an API and a worker report every metric of the dashboards', async () => {
  await using api = await startRunningApi();
  const port = await freePort();
  await using worker = api.startWorker({ RISK_WORKER_PORT: String(port) });
  void worker;
  const { body } = await postOne(api, input(), { Prefer: 'wait=10' });
  expect(body.score).not.toBeNull();
  const ofWorker = await waitUntil(
    () =>
      fetch(`http://127.0.0.1:${port}/metrics`).then(
        (answer) => answer.text(),
        () => undefined,
      ),
    10_000,
    'the scrape',
  );
  const told = new Set(namesOf(ofWorker + (await (await api.request('/metrics')).text())));
  const asked = DASHBOARDS.flatMap(queriesOf).flatMap(({ metrics }) => metrics);
  expect(asked.length).toBeGreaterThan(100);
  expect([...new Set(asked)].filter((name) => !told.has(name))).toEqual([]);
});
