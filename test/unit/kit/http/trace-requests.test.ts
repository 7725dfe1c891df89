/**
 * Goal: of requests that are not sampled, failures of the engine alone are exported; nobody without a key has a trace exported;
 * problems and log lines name the trace. Method: routes of an application, whose spans a file takes.
 */
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import {
  Problem,
  type ProblemJson,
  unavailable,
} from '../../../../src/kit/http/answers/problem.ts';
import type { AppEnv } from '../../../../src/kit/http/app-env.ts';
import { traceRequests } from '../../../../src/kit/http/edge.ts';
import { createLog } from '../../../../src/kit/metrics/log.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { openTraces, type Traces } from '../../../../src/kit/traces/open-traces.ts';
import { parseTraceparent } from '../../../../src/kit/traces/trace.ts';
import type { Principal } from '../../../../src/kit/words/principal.ts';
import { createApp } from '../../../../src/main/http/app.ts';
import { testConfig } from '../../../support/config.ts';
import { newSpanFile, readSpans } from '../../../support/spans.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SAMPLED = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const KNOWN = { ...SAMPLED, Authorization: 'Bearer a-key-of-somebody' };

function appOf(traces: Traces, write: (line: string) => void) {
  const routes = new Hono<AppEnv>();
  const thrown = {
    '/stopped': new Problem('scope-stopped', 'The corridor is stopped.'),
    '/away': unavailable(),
    '/wrong': new Problem('invalid-fields', 'A field is wrong.'),
  };
  for (const [path, problem] of Object.entries(thrown)) {
    routes.get(path, () => {
      throw problem;
    });
  }
  routes.get('/v1/fine', (c) => c.json({}));
  const authenticate = async () => ({ roles: new Set(), client: 'c' }) as unknown as Principal;
  return createApp({
    ...{ log: createLog('api', 'info', { write }), metrics: createMetrics(), routes: [routes] },
    degradation: { level: () => 0, levelOf: () => 0 },
    ...{ timeoutMs: 1000, waitMsMax: 0, authenticate },
    traces: traceRequests(traces, 'market_0'),
  });
}

const traceIdOf = async (answer: Response | Promise<Response>) =>
  ((await (await answer).json()) as ProblemJson).trace_id;

test('failures are exported, and what a client with a key has sampled', async () => {
  const file = await newSpanFile();
  let logged = '';
  const config = testConfig({
    ...{ RISK_TRACES_FILE: file, OTEL_TRACES_SAMPLER_ARG: '0' },
    RISK_TRACE_SLOW_MS: '600000',
  });
  const log = createLog('api', 'silent');
  const traces = await openTraces(config, 'risk-api', log);
  if (traces === null) throw new Error('traces are off');
  const app = appOf(traces, (line) => {
    logged += line;
  });
  for (const path of ['/stopped', '/wrong', '/v1/none']) await app.request(path);
  const away = await traceIdOf(app.request('/away', { headers: SAMPLED }));
  // Refused before anybody knows who asks, so that the header counts for nothing.
  const wrong = await traceIdOf(app.request('/wrong', { headers: SAMPLED }));
  await app.request('/v1/fine', { headers: KNOWN });
  await traces[Symbol.asyncDispose]();
  expect([away, wrong]).toEqual([TRACE, TRACE]);
  expect(logged).toContain(`"trace_id":"${TRACE}"`);
  expect(readSpans(file).map(({ name, traceId, hasFailed }) => [name, traceId, hasFailed])).toEqual(
    [
      ['GET /away', TRACE, true],
      ['GET /v1/fine', TRACE, false],
    ],
  );
});

test('a header that is no traceparent names no trace', () => {
  const zeros = '0'.repeat(32);
  const span = '00f067aa0ba902b7';
  expect(parseTraceparent(`00-${TRACE}-${span}-01`)).toEqual({
    ...{ traceId: TRACE, spanId: span, isSampled: true },
  });
  expect(parseTraceparent(`01-${TRACE}-${span}-02-more`)?.isSampled).toBe(false);
  const wrong = [
    undefined,
    `ff-${TRACE}-${span}-01`,
    `00-${TRACE}-${span}-01-more`,
    `00-${zeros}-${span}-01`,
    `00-${TRACE}-0000000000000000-01`,
  ];
  for (const text of wrong) expect([text, parseTraceparent(text)]).toEqual([text, null]);
});
