/**
 * Goal: a sampled post is one trace, from HTTP through the stream and the batch to its score; what was not sampled is exported
 * where it was slow or failed; and where traces are off nothing of OpenTelemetry is loaded. Method: APIs and workers on real
 * services, whose spans a file takes.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { childEnvironment, REPOSITORY, SOURCE, watch } from '../support/risk.ts';
import { startRunningApi } from '../support/running-api.ts';
import { newSpanFile, type SeenSpan, untilSpans } from '../support/spans.ts';
import { input, postOne } from '../support/submit.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';

/** Nothing is slow, so that a span is there for another reason. */
const NEVER_SLOW = { RISK_TRACE_SLOW_MS: '600000' };
const UNSAMPLED = { ...NEVER_SLOW, OTEL_TRACES_SAMPLER_ARG: '0' };

const traceOf = (digit: string) => digit.repeat(32);
const CALLER = '00f067aa0ba902b7';
const sampledBy = (digit: string) => ({ traceparent: `00-${traceOf(digit)}-${CALLER}-01` });
const byName = (spans: readonly SeenSpan[], traceId: string) =>
  Object.fromEntries(spans.filter((one) => one.traceId === traceId).map((one) => [one.name, one]));

test('a sampled post is one trace from HTTP to its score, and its batch links to each sender', async () => {
  const file = await newSpanFile();
  const settings = { ...UNSAMPLED, RISK_TRACES_FILE: file };
  await using api = await startRunningApi(settings);
  const first = await postOne(api, input(), sampledBy('a'));
  const second = await postOne(api, input(), sampledBy('b'));
  await postOne(api, input());
  await using _worker = api.startWorker(settings);
  const spans = await untilSpans(file, 'POST /v1/transactions', 'score', 'settle');
  const [one, other] = [byName(spans, traceOf('a')), byName(spans, traceOf('b'))];
  expect(Object.keys(one).sort()).toEqual([
    'POST /v1/transactions',
    'commit',
    'decide',
    'fold profiles',
    'process transactions',
    'score',
    'send transactions',
    'settle',
    'store scores',
  ]);
  const { 'POST /v1/transactions': post, 'send transactions': send } = one;
  expect(post).toMatchObject({
    ...{ kind: 'server', parentSpanId: CALLER, service: 'risk-api', hasFailed: false },
    attributes: { 'http.response.status_code': 201, 'risk.market': 'market_0' },
  });
  expect(send).toMatchObject({ kind: 'producer', parentSpanId: post?.spanId });
  const batch = one['process transactions'];
  const links = [one, other].map(({ 'send transactions': sender }) => sender);
  expect(batch).toMatchObject({
    ...{ kind: 'consumer', parentSpanId: send?.spanId, service: 'risk-worker' },
    links: links.map((sender) => `${sender?.traceId}-${sender?.spanId}`),
    attributes: { 'messaging.batch.message_count': 3 },
  });
  for (const stage of ['fold profiles', 'decide', 'store scores', 'settle', 'score']) {
    expect([stage, one[stage]?.parentSpanId]).toEqual([stage, batch?.spanId]);
  }
  expect(one['score']?.attributes['risk.transaction_id']).toBe(first.body.transaction_id);
  expect(other['score']).toMatchObject({
    ...{ kind: 'consumer', parentSpanId: other['send transactions']?.spanId },
    attributes: { 'risk.transaction_id': second.body.transaction_id, 'risk.attempt': 1 },
    links: [`${batch?.traceId}-${batch?.spanId}`],
  });
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(
    new Set([traceOf('a'), traceOf('b')]),
  );
});

test('what is not sampled is exported where it is slow, in the API and in a worker, each by itself', async () => {
  const file = await newSpanFile();
  const settings = {
    OTEL_TRACES_SAMPLER_ARG: '0',
    RISK_TRACE_SLOW_MS: '1',
    RISK_TRACES_FILE: file,
  };
  await using api = await startRunningApi(settings);
  await using _worker = api.startWorker(settings);
  await postOne(api, input());
  const spans = await untilSpans(file, 'POST /v1/transactions', 'process transactions');
  const traces = new Map(spans.map((span) => [span.name, span.traceId]));
  expect(traces.get('commit')).toBe(traces.get('POST /v1/transactions'));
  expect(traces.get('settle')).toBe(traces.get('process transactions'));
  expect(traces.get('settle')).not.toBe(traces.get('commit'));
});

describe('the packages of OpenTelemetry', () => {
  /** Packages of a process that has served, or read, for a moment; the metrics load `api` in any case. */
  async function loadedBy(
    { environment }: WorkerRig,
    role: 'api' | 'worker',
    settings: Readonly<Record<string, string>>,
  ) {
    const list = await newSpanFile();
    const hook = join(REPOSITORY, 'test/support/list-packages.mjs');
    // The sources, as a bundle has no packages.
    await using child = watch(
      spawn(process.execPath, [SOURCE, role], {
        env: childEnvironment({
          ...{ ...environment, PORT: '0', ...settings },
          ...{ NODE_OPTIONS: `--import=${hook}`, LISTED_IN: list },
        }),
      }),
    );
    await child.waitFor(/"msg":"(?:serving|worker starts)"/, 30_000);
    const urls = (await readFile(list, 'utf8')).split('\n');
    const names = urls.flatMap((url) => /@opentelemetry\/([a-z-]+)\//.exec(url)?.[1] ?? []);
    return [...new Set(names)].sort();
  }

  test('are not loaded where traces are off', async () => {
    await using rig = await createWorkerRig();
    expect(await loadedBy(rig, 'api', {})).toEqual(['api']);
    expect(await loadedBy(rig, 'worker', {})).toEqual(['api']);
    const on = await loadedBy(rig, 'worker', { OTEL_TRACES_EXPORTER: 'otlp' });
    expect(on).toEqual(expect.arrayContaining(['exporter-trace-otlp-proto', 'sdk-trace']));
  });
});
