/**
 * Goal: every answer is one the document has: status, content type, body. Method: an API process with
 * something of everything in its stores; every operation is called, well and badly.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { detachMonth } from '../../src/core/store/partitions/detach-months.ts';
import { USUAL_HEADERS } from '../../src/kit/http/edge.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { ROLES } from '../../src/kit/words/principal.ts';
import { watchScores } from '../../src/rooms/models/queries/watch-scores.ts';
import { insertWatchReports } from '../../src/rooms/models/store/watch-reports.ts';
import { callOf } from '../support/call.ts';
import { openForFile } from '../support/open-for-file.ts';
import {
  type Answer,
  documentedPath,
  readLines,
  readOpenApi,
  schemaOf,
} from '../support/openapi.ts';
import { insertPersonKey } from '../support/people.ts';
import { backtestRequests } from '../support/rooms/backtest/requests.ts';
import { controlRequests, failures, limitScope } from '../support/rooms/corridors/requests.ts';
import { evidencePaths, PROVEN } from '../support/rooms/evidence/requests.ts';
import { listRequests } from '../support/rooms/lists/requests.ts';
import { modelRequests } from '../support/rooms/models/requests.ts';
import { privacyRequests, startPrivateApi } from '../support/rooms/privacy/requests.ts';
import { GREATEST_LOAD, reviewRequests } from '../support/rooms/review/requests.ts';
import { ruleSetRequests } from '../support/rooms/rules/requests.ts';
import { PARTY_PATHS, readingPaths } from '../support/rooms/search/requests.ts';
import { webhookRequests } from '../support/rooms/webhooks/requests.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import { answerOf, input, labelInput } from '../support/submit.ts';

type Call = readonly [method: string, path: string, init?: RequestInit & { body?: string }];

const JSON_HEADERS = { 'Content-Type': 'application/json' };
const NOW = Date.now();
const DETACHED_MS = Date.UTC(2015, 2, 9);

const api = await openForFile(startPrivateApi({ RISK_WEBHOOK_LOOPBACK: 'allow' }));
await limitScope(api, 'limit-requests', 'market', { rate_per_second: 10_000, burst: 10_000 });
/** Key of a person who has every role. */
const everything = await insertPersonKey(api.testDatabase, 'Ann', ROLES);
const openApi = await readOpenApi(api.url);

/** Headers that the document does not list: of HTTP itself, and those that every answer has and no client acts on. */
const UNLISTED = new Set([
  ...'connection content-encoding content-length content-type date keep-alive'.split(' '),
  ...['transfer-encoding', ...USUAL_HEADERS.map(([name]) => name.toLowerCase())],
]);
const seenHeaders = new Set<string>();

function expectHeaders(name: string, { headers }: Response, documented: Answer): void {
  const listed = Object.entries(documented.headers);
  const names = new Set(listed.map(([header]) => header.toLowerCase()));
  const unknown = [...headers.keys()].filter(
    (header) => !names.has(header) && !UNLISTED.has(header),
  );
  expect(unknown, name).toEqual([]);
  for (const [header, { required = false, schema }] of listed) {
    const value = headers.get(header);
    if (value === null) {
      expect(required, `${name} lacks ${header}`).toBe(false);
      continue;
    }
    seenHeaders.add(header);
    const validate = openApi.validator(schema);
    const given = schema['type'] === 'integer' ? Number(value) : value;
    expect(validate(given), `${name} ${header}: ${value}`).toBe(true);
  }
}

/** Fails unless status, headers, content type and body are what the document says of this call. */
async function expectDocumented([method, path, init]: Call): Promise<string> {
  const headers = { Authorization: `Bearer ${everything}`, ...init?.headers };
  const response = await api.request(path, { method, ...init, headers });
  const pattern = documentedPath(openApi, path);
  const operation = openApi.document.paths[pattern]?.[method.toLowerCase()];
  const name = `${method} ${pattern} ${response.status}`;
  const documented = operation?.responses[String(response.status)];
  expect(documented, name).toBeDefined();
  if (documented !== undefined) expectHeaders(name, response, documented);
  if (documented?.content === undefined) {
    expect(await response.text(), name).toBe('');
    return name;
  }
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const schema = schemaOf(documented, type, path);
  expect(schema, `${name} ${type}`).toBeDefined();
  const isJson = type.endsWith('json') && !type.endsWith('ndjson');
  const bodies = isJson ? [await response.json()] : await readLines(type, response);
  for (const body of bodies) {
    const validate = openApi.validator(Object(schema?.['contentSchema'] ?? schema));
    expect(validate(body), `${name} ${JSON.stringify(validate.errors)}`).toBe(true);
  }
  return name;
}

const post = (path: string, body: unknown, headers = {}) => callOf('POST', path, body, headers);

describe('answers', () => {
  const scored = idAt(NOW - 1000, 1);
  const pending = idAt(NOW - 2000, 2);
  const dead = idAt(NOW - 3000, 3);
  const letter = idAt(NOW, 4);
  const [unknown, detached] = [idAt(NOW, 99), idAt(DETACHED_MS, 6)];

  beforeAll(async () => {
    await storeTransactions(api.database, [
      { id: scored, createdAtMs: NOW - 1000, score: 900, reasons: ['VELOCITY_COUNT_1H'] },
      { id: pending, createdAtMs: NOW - 2000 },
      { id: dead, createdAtMs: NOW - 3000 },
      { id: detached, createdAtMs: DETACHED_MS },
    ]);
    await detachMonth(api.database, monthOf(DETACHED_MS));
    await storeDeadLetters(api.database, [
      { id: letter, transactionId: dead, failedAtMs: NOW },
      { id: idAt(NOW, 5), transactionId: null, failedAtMs: NOW, errorCode: 'ENTRY_MALFORMED' },
      ...failures('GB-PK', NOW),
    ]);
    const reports = await watchScores(api.database, NOW, 7, new AbortController().signal);
    await insertWatchReports(api.database.query, NOW, reports);
  });

  const gets = (): string[] => [
    ...['/livez', '/readyz', '/metrics', '/openapi.json', '/features.json'],
    '/reason-codes.json',
    ...['', '?account_id=acc_1&limit=2', '?limit=0', '?fields=x,label'].map(
      (query) => `/v1/transactions${query}`,
    ),
    ...[scored, pending, dead, unknown, detached, 'x'].flatMap(readingPaths),
    ...['?verdict=decline&min_score=800', '?verdict=no'].map((query) => `/v1/transactions${query}`),
    ...PARTY_PATHS,
    ...['/v1/summaries/daily', '/v1/summaries/daily?from=x', '/v1/status'],
    ...['/v1/approvals', '/v1/approvals?state=all', '/v1/approvals?state=x', '/v1/approvals/7'],
    ...['/v1/models/watch', '/v1/models/watch?at=x'],
    ...['/v1/dead-letters', '/v1/dead-letters?active=x', '/v1/dead-letters/groups'],
    ...[`/v1/dead-letters/${letter}`, `/v1/dead-letters/${unknown}`, '/v1/dead-letters/x'],
    ...['/v1/labels', `/v1/labels?transaction_id=${scored}`, '/v1/labels?label=x'],
    `/v1/transactions/${scored}?expand=score,explanation,labels,neighbours`,
    `/v1/transactions/${pending}?expand=score,explanation,neighbours`,
    ...['csv', 'ndjson', 'parquet', 'xml'].map(
      (format) => `/v1/exports/transactions?format=${format}&from=2020-01-01T00:00:00Z`,
    ),
    ...['/v1/exports/transactions', `/v1/transactions/${scored}?expand=x`],
    ...['/v1/keys', '/v1/keys?cursor=zz', '/v1/keys?x=1', '/v1/idempotency-keys/nobody'],
    ...['/v1/identities', '/v1/identities?x=1', '/v1/audit?who=Ann', '/v1/audit?limit=0'],
    ...['/v1/me', '/v1/live', '/v1/workers', '/v1/sessions', '/v1/sessions?cursor=-'],
    ...['/v1/corridors', '/v1/reason-codes', '/v1/features', '/v1/features?x=1'],
    ...['/v1/reviews', '/v1/reviews?state=closed', '/v1/reviews?cursor=x', '/v1/reviews/decisions'],
    ...['/v1/reviews/status', '/v1/reviews/capacity?officers=10', '/v1/reviews/capacity?growth=x'],
    ...[`/v1/reviews/capacity?${GREATEST_LOAD}`, '/v1/reviews/capacity?officers=1.5'],
    ...['/v1/reviews/policy', '/v1/reviews/decisions?cursor=x', '/v1/reviews/shift'],
    '/v1/reviews/shift?since=2020-01-01T00:00:00Z',
    `/v1/reviews/${unknown}`,
    ...['/v1/rule-sets', '/v1/rule-sets?x=1', '/v1/rules/outcomes', '/v1/rules/outcomes?days=2'],
    ...[
      '/v1/models/scorecard/comparison',
      '/v1/models/unknown@1/comparison',
      '/v1/models/unknown@1/comparison?days=x',
    ],
    ...['/v1/controls', '/v1/controls?kind=stop&scope=client:nobody', '/v1/controls?kind=x'],
    ...['/v1/degradation', '/v1/suggestions', '/v1/corridors/US-EG/logs', '/v1/markets/none'],
    ...['/v1/corridors/US-EG', '/v1/corridors/XX-XX', `/v1/markets/${api.testDatabase.market}`],
    ...['corridor:US-EG/history', 'corridor:US-EG/history?cursor=x', 'corridor:XX-XX/history'].map(
      (path) => `/v1/controls/freeze/${path}`,
    ),
    ...['/v1/corridors/US-EG/checklist', '/v1/corridors/XX-XX/checklist', '/v1/incidents'],
    ...['/v1/scorecards', '/v1/scorecards?cursor=x', '/v1/scorecards/2026-11-29'],
    ...['/v1/models', '/v1/models?x=1', '/v1/models/unknown@1', '/v1/models/%00'],
  ];

  /** Answers that a client may keep. */
  const kept = (): string[] => [
    ...[
      `/v1/scores/${scored}`,
      '/v1/summaries/daily',
      '/v1/corridors',
      '/v1/reason-codes',
      '/v1/features',
    ],
    ...['/v1/rule-sets', '/v1/rules/outcomes'],
  ];

  const changes = (): Call[] => {
    const sent = input();
    const batch = { transactions: [input(), sent] };
    const lines = { 'Content-Type': 'application/x-ndjson' };
    const inDetached = input({ created_at: new Date(DETACHED_MS).toISOString() });
    const months = Array.from({ length: 13 }, (_, month) =>
      input({ created_at: new Date(Date.UTC(2016, month)).toISOString() }),
    );
    return [
      post('/v1/transactions', sent),
      post('/v1/transactions', sent),
      post('/v1/transactions', { ...sent, amount: '1' }),
      post('/v1/transactions', { amount: 1, x: 2 }),
      ['POST', '/v1/transactions', { headers: JSON_HEADERS, body: '{' }],
      ['POST', '/v1/transactions', { body: 'x' }],
      post('/v1/transactions/batch', batch),
      post('/v1/transactions/batch', batch, { Prefer: 'wait=1' }),
      post('/v1/transactions', sent, { Prefer: 'wait=0.01' }),
      post('/v1/transactions/batch', { transactions: [] }),
      post('/v1/transactions', inDetached),
      post('/v1/transactions/batch', { transactions: [input(), inDetached] }),
      post('/v1/transactions/batch', { transactions: months }),
      [
        'POST',
        '/v1/transactions/batch',
        { headers: lines, body: `${JSON.stringify(input())}\nx\n${JSON.stringify(inDetached)}\n` },
      ],
      post('/v1/labels', { labels: [labelInput({ transaction_id: scored })] }),
      post('/v1/labels', { labels: [labelInput({ transaction_id: unknown })] }),
      post('/v1/labels', { labels: [labelInput({ transaction_id: detached })] }),
      ['POST', '/v1/labels', { headers: JSON_HEADERS, body: '{' }],
      ...[scored, pending, dead, unknown, 'x'].map((id) =>
        post(`/v1/transactions/${id}/what-if`, { amount: '1.00', country: null }),
      ),
      post(`/v1/transactions/${scored}/what-if`, { amount: 1, x: 2 }),
      post('/v1/evaluate', input()),
      post('/v1/evaluate?method=shapley&model=none', { ...input(), created_at: '2026-01-01' }),
      post('/v1/evaluate?model=unknown@1', input()),
      ['POST', '/v1/approvals/7/confirm'],
      ['POST', '/v1/approvals/7/withdraw'],
      ...[...modelRequests(), ...reviewRequests(scored, unknown)].map(([path, body]) =>
        post(path, body),
      ),
      ['GET', `/v1/reviews/${scored}`],
      post('/v1/dead-letters/replay', { ids: [letter] }),
      post('/v1/dead-letters/replay', {}),
      ['POST', `/v1/dead-letters/${letter}/replay`],
      ['POST', `/v1/dead-letters/${unknown}/replay`],
      post('/v1/dead-letters/purge', { all: true }),
      post('/v1/dead-letters/purge', { all: 'x' }),
      post('/v1/keys', { roles: ['ingest'], owner: 'me' }),
      post('/v1/keys', { roles: ['root'] }),
      post('/v1/keys', { roles: ['risk_officer'], owner: 'me' }),
      post('/v1/keys', { roles: ['risk_officer'], identity: 'Bob' }),
      ...['unknown', 'bob', 'bob'].map((id): Call => ['DELETE', `/v1/identities/${id}`]),
      ['DELETE', '/v1/keys/unknown'],
      ['POST', '/v1/sessions'],
      ['POST', '/v1/sessions/links'],
      ['DELETE', '/v1/sessions/unknown'],
      ...ruleSetRequests(scored, unknown),
      ...controlRequests(api.testDatabase.market),
    ];
  };

  test('are all as the document says, and every operation is asked', async () => {
    const seen = new Set<string>();
    const evidence = await evidencePaths(api, scored, unknown);
    for (const path of [...gets(), ...evidence]) seen.add(await expectDocumented(['GET', path]));
    for (const path of kept()) {
      const headers = { 'If-None-Match': '*' };
      expect(await expectDocumented(['GET', path, { headers }])).toMatch(/ 304$/);
    }
    const calls = [
      ...changes(),
      ...(await listRequests(api)),
      ...(await webhookRequests(api)),
      ...(await privacyRequests(api)),
      ...(await backtestRequests(api)),
    ];
    for (const call of calls) seen.add(await expectDocumented(call));
    const { body } = await answerOf(await api.post('/v1/keys', { roles: ['ingest'], owner: 'me' }));
    seen.add(await expectDocumented(['DELETE', `/v1/keys/${body.key_id}`]));
    const asked = new Set([...seen].map((name) => name.replace(/ \d+$/, '')));
    expect([...asked].sort()).toEqual(
      openApi.operations.map((o) => `${o.method} ${o.path}`).sort(),
    );
    const had = ['GET /v1/scores/{id} 202', 'GET /v1/scores/{id}/explanation 410', ...PROVEN];
    for (const name of [...had, 'POST /v1/transactions 201']) expect(seen).toContain(name);
    const sent = [
      ...['RateLimit', 'ETag', 'Cache-Control', 'Vary', 'Age', 'Location'],
      ...['Preference-Applied', 'Set-Cookie', 'Retry-After'],
    ];
    expect([...seenHeaders]).toEqual(expect.arrayContaining(sent));
  });

  test('to reads that prefer the primary say so', async () => {
    const headers = { Authorization: `Bearer ${everything}`, Prefer: 'read=primary' };
    for (const path of gets().filter((each) => each.startsWith('/v1/'))) {
      const answer = await api.request(path, { headers });
      const applied = answer.status < 400 ? 'read=primary' : null;
      expect([path, answer.headers.get('preference-applied')]).toEqual([path, applied]);
      await answer.body?.cancel();
    }
  });

  test('to a method that a path does not take are 405 with Allow', async () => {
    for (const [path, operations] of Object.entries(openApi.document.paths)) {
      const taken = Object.keys(operations).map((name) => name.toUpperCase());
      const allow = [...taken, ...(taken.includes('GET') ? ['HEAD'] : [])].sort().join(', ');
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
        if (taken.includes(method)) continue;
        const concrete = path.replaceAll(/\{\w+\}/g, unknown);
        const { status, headers } = await answerOf(await api.request(concrete, { method }));
        expect([method, path, status, headers.get('allow')]).toEqual([method, path, 405, allow]);
      }
    }
  });
});
