/**
 * Goal: the API is what its document says: routes and schemas; who may call them is in access.test.ts. Method: an API
 * process whose own document drives the requests.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { storedTransaction, TRANSACTION_ID } from '../../src/core/accept/examples.ts';
import { acceptRoutes } from '../../src/core/accept/routes.ts';
import { FEATURE_LIST } from '../../src/core/domain/feature-schema.ts';
import type { Api } from '../../src/core/room.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { createApiClient, createAsk } from '../../src/kit/client/api-client.ts';
import { PROBLEM_NAMES } from '../../src/kit/http/answers/problem-types.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { ROLES } from '../../src/kit/words/principal.ts';
import { docsRoutes } from '../../src/main/http/docs.ts';
import { healthRoutes } from '../../src/main/http/health.ts';
import { ROOMS } from '../../src/main/rooms.ts';
import { DEAD_LETTER_ID } from '../../src/rooms/dead-letters/store.ts';
import type { FeatureJson, ReasonCodeJson } from '../../src/rooms/rules/catalogue.ts';
import { readRiskiest } from '../../src/tools/start/screen.ts';
import { testConfig } from '../support/config.ts';
import { exampleRequests } from '../support/example-requests.ts';
import { readOpenApi } from '../support/openapi.ts';
import { insertPersonKey } from '../support/people.ts';
import { openRunningApi } from '../support/running-api.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import { answerOf, input, labelInput } from '../support/submit.ts';

const NOW = Date.now();

const api = await openRunningApi();
const openApi = await readOpenApi(api.url);

/** Paths of pages for people, which the document leaves out. */
const PAGES = /^\/(docs.*|console.*|oidc.*)?$/;
describe('the document', () => {
  test('is OpenAPI 3.1 whose schemas compile and whose operations are named once', () => {
    expect(openApi.document.openapi).toBe('3.1.0');
    for (const name of Object.keys(openApi.document.components.schemas)) {
      expect(() => openApi.validator({ $ref: `#/components/schemas/${name}` })).not.toThrow();
    }
    const ids = openApi.operations.flatMap(({ operation }) => operation.operationId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation, path } of openApi.operations) {
      expect(operation.tags, path).toHaveLength(1);
      expect(Object.keys(operation.responses).length, path).toBeGreaterThan(0);
      for (const { content = {} } of [
        ...Object.values(operation.responses),
        operation.requestBody ?? {},
      ]) {
        for (const { schema } of Object.values(content)) openApi.validator(schema);
      }
    }
  });

  test('has every route of core and of the rooms but those of the pages /docs, /console and /oidc, and no other', async () => {
    // Registering routes calls none of these functions.
    const anything = new Proxy(() => undefined, { get: () => anything }) as never;
    const given = {
      ...{ config: testConfig({}), metrics: createMetrics(), databases: anything },
      // Drained already: nothing is read.
      draining: AbortSignal.abort(),
    };
    const parts = new Proxy<Api>(given as unknown as Api, {
      get: (own, name) => Reflect.get(own, name) ?? anything,
    });
    const rooms = ROOMS.map(async ({ routes }) => (await routes?.())?.open(parts));
    const all = [
      healthRoutes(anything),
      acceptRoutes(parts),
      docsRoutes({}),
      ...(await Promise.all(rooms)).flatMap((room) => room?.routes ?? []),
    ];
    const served = all
      .flatMap(({ routes }) => routes)
      .filter(({ method, path }) => method !== 'ALL' && !PAGES.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = openApi.operations.map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(served)].sort()).toEqual(documented.sort());
  });

  test('takes the input that the API takes, by its own schema', () => {
    const validate = openApi.validator({ $ref: '#/components/schemas/TransactionInput' });
    expect(validate(input({ account_id: '😀'.repeat(128) }))).toBe(true);
    for (const bad of [{ amount: 1 }, { amount: '1e2' }, { account_id: 'a\n' }, { extra: 1 }]) {
      expect(validate(input(bad)), JSON.stringify(bad)).toBe(false);
    }
  });

  test('takes the labels that the API takes, by its own schema', () => {
    const validate = openApi.validator({ $ref: '#/components/schemas/LabelInput' });
    expect(validate(labelInput({ transaction_id: idAt(NOW, 1) }))).toBe(true);
    expect(validate(labelInput({ idempotency_key: 'order-1001' }))).toBe(true);
    for (const bad of [{ label: 'maybe' }, { labelled_at: 1 }, { source: '' }, { extra: 1 }]) {
      expect(validate(labelInput({ idempotency_key: 'k', ...bad })), JSON.stringify(bad)).toBe(
        false,
      );
    }
  });
});

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

describe('the examples', () => {
  /** Operations whose example names a model, proposal, key, decision, webhook or host that is not there. */
  const UNKNOWN: Readonly<Record<string, number>> = {
    liftHold: 404,
    ...{ readModel: 404, proposeModel: 404, actAlone: 404, rollBackModel: 409 },
    ...{ createWebhook: 422, readWebhook: 404, changeWebhook: 404, deleteWebhook: 404 },
    ...{ rotateWebhookSecret: 404, testWebhook: 404, listDeliveries: 404, redeliver: 404 },
    ...{ endListEntry: 404, readApproval: 404, confirmApproval: 404, withdrawApproval: 404 },
    // No log of evidence is kept.
    ...{ readCheckpoint: 404, proveConsistency: 404, proveScore: 404, proveAuditLine: 404 },
    endListImport: 404,
    ...{ revokeKey: 404, endSession: 404, compareShadow: 404 },
    // The examples have no tag, and nobody approves what he has written.
    ...{
      readBacktest: 404,
      readBacktestBands: 404,
      cancelBacktest: 404,
      readScorecard: 404,
      proposeScorecard: 404,
      // No table has learnt.
      proposeScorecardPolicy: 409,
      resumeBacktest: 404,
      changeRuleSet: 412,
      rollOutRuleSet: 409,
      rollBackRuleSet: 409,
    },
    // The API has no keys for personal data, and the examples' header is not sent.
    ...{ declarePersonalField: 409, readSubject: 422, eraseSubject: 409 },
    // Nobody has frozen the market, and nothing is proposed.
    ...{ requestRollback: 409, requestDrop: 404, applySuggestion: 404 },
    // The case of the examples is nobody's when it is decided, and nothing waits for a second person.
    ...{ decideCase: 409, undoDecision: 409, confirmDecision: 409, returnCase: 409 },
  };
  let key: string;

  beforeAll(async () => {
    key = await insertPersonKey(api.testDatabase, 'Zoe', ROLES);
    await insertPersonKey(api.testDatabase, 'Ann', ['analyst']);
    const { account_id: accountId, merchant_id: merchantId } = storedTransaction;
    const createdAtMs = Date.parse(storedTransaction.created_at);
    const seed = { id: TRANSACTION_ID, createdAtMs, accountId, merchantId, score: 870 };
    await storeTransactions(api.database, [seed]);
    const failedAtMs = Date.parse('2026-11-20T11:05:00.000Z');
    await storeDeadLetters(api.database, [
      { id: DEAD_LETTER_ID, transactionId: TRANSACTION_ID, failedAtMs },
    ]);
  });

  test('of every request are accepted by a running API, with those of every parameter', async () => {
    const requests = exampleRequests(openApi);
    const wrong: string[] = [];
    for (const { operationId, method, path, contentType, body = null } of requests) {
      const headers = {
        ...{ Authorization: `Bearer ${key}` },
        ...(body === null ? {} : { 'Content-Type': contentType }),
      };
      const response = await api.request(path, { method, headers, body });
      const text = await response.text();
      const { status } = response;
      const wanted = UNKNOWN[operationId];
      const isExpected = status === (wanted ?? (status < 300 ? status : 200));
      const isRefusedLine = /"status":"(invalid|conflict)"/.test(text);
      if (!isExpected || isRefusedLine) wrong.push(`${method} ${path}: ${status} ${text}`);
    }
    expect(wrong).toEqual([]);
    expect(requests.length).toBeGreaterThan(openApi.operations.length);
  });

  test('of every request that reads are accepted with ids in upper case', async () => {
    const upper = (text: string) => text.replaceAll(UUID, (id) => id.toUpperCase());
    const reads = exampleRequests(openApi).filter(
      ({ method, path }) => method === 'GET' && upper(path) !== path && !path.includes('cursor='),
    );
    const headers = { Authorization: `Bearer ${key}` };
    for (const { path } of reads) {
      const [plain, raised] = [
        await api.request(path, { headers }),
        await api.request(upper(path), { headers }),
      ];
      expect([plain.status, raised.status], path).toEqual([plain.status, plain.status]);
      await Promise.all([plain.body?.cancel(), raised.body?.cancel()]);
    }
    expect(reads.length).toBeGreaterThan(6);
  });

  test("are found by the engine's own client, by the names of operations", async () => {
    const { signal } = new AbortController();
    const ask = createAsk(createApiClient({ url: api.url, key, signal }));
    expect(await readRiskiest(ask)).toMatchObject([
      { score: { score: 870, verdict: 'decline' }, account_id: 'acc_17' },
    ]);
    const { items } = await ask('GET /v1/transactions', {
      query: { min_score: 871, reason: 'A&B' },
    }).catch((error: unknown) => ({ items: [String(error)] }));
    expect(items).toEqual([expect.stringContaining('the API answered 422: Invalid fields')]);
    const path = { id: '../status' };
    await expect(ask('GET /v1/transactions/{id}', { path })).rejects.toThrow('must be a UUID');
  });
});

test.each([
  ['from', 'to', '2026-11-21', '2026-11-20'],
  ['received_from', 'received_to', '2026-11-21', '2026-11-20'],
  ['scored_from', 'scored_to', '2026-11-21', '2026-11-20'],
  ['min_score', 'max_score', '800', '799'],
  ['min_amount', 'max_amount', '10.50', '9.5'],
])(
  'a range with %s after %s is 422 wherever it may be asked for',
  async (from, to, first, last) => {
    const ranged = openApi.operations.filter(({ operation }) =>
      [from, to].every((name) =>
        operation.parameters?.some((parameter) => parameter.name === name),
      ),
    );
    expect(ranged.length).toBeGreaterThan(1);
    for (const { path } of ranged) {
      const currency = from === 'min_amount' ? '&currency=USD' : '';
      const asked = (low: string, high: string) =>
        api.request(`${path}?${from}=${low}&${to}=${high}${currency}`);
      const { status, body } = await answerOf(await asked(first, last));
      expect([status, body.errors?.length, body.errors?.[0].pointer], path).toEqual([
        422,
        1,
        `/${from}`,
      ]);
      for (const text of [to, first, last]) expect(body.detail, path).toContain(text);
      const equal = await answerOf(await asked(first, first));
      // Days and numbers have both ends in their range; a time at the end is not in it.
      const hasEnd = from.startsWith('min_') || path.startsWith('/v1/summaries');
      expect([equal.status, equal.body.errors?.[0].pointer], path).toEqual(
        hasEnd ? [200, undefined] : [422, `/${to}`],
      );
      if (!hasEnd) expect(equal.body.detail).toMatch(/one day is from 2026-11-21 to 2026-11-22\.$/);
    }
  },
);

test('the catalogue lists the corridors, and each reason and feature in words', async () => {
  const list = async (path: string) => (await answerOf(await api.request(path))).body.items;
  expect(await list('/v1/corridors')).toContainEqual({
    ...{ corridor: 'US-EG', source: 'US', destination: 'EG' },
  });
  const reasons: ReasonCodeJson[] = await list('/v1/reason-codes');
  for (const { code: ofRule, sentence } of currentRuleSet.rules) {
    const reason = reasons.find(({ code }) => code === ofRule);
    expect(reason).toMatchObject({ description: sentence, origin: 'rule' });
    expect(reason?.rule_sets).toContain(currentRuleSet.id);
  }
  expect(reasons).toContainEqual(
    expect.objectContaining({ code: 'MODEL_COUNT_1H', origin: 'model', features: ['count_1h'] }),
  );
  expect(new Set(reasons.map(({ code }) => code)).size).toBe(reasons.length);
  const features: FeatureJson[] = await list('/v1/features');
  expect(features.map(({ name }) => name)).toEqual(FEATURE_LIST.map(({ name }) => name));
  expect(features.at(-1)).toMatchObject({ position: FEATURE_LIST.length - 1 });
});

test('keys are needed everywhere but where the contract says otherwise', () => {
  const open = openApi.operations.filter(({ operation }) => operation.security?.length === 0);
  expect(open.map(({ path: pattern }) => pattern)).toEqual([
    ...['/livez', '/readyz'],
    ...['/openapi.json', '/features.json', '/reason-codes.json'],
  ]);
});

test('the help of a problem leads to its cure', async () => {
  const { body } = await answerOf(await api.request('/v1/scores/x'));
  const page = await (await fetch(api.url + body.help)).text();
  const [, place] = body.help.split('#');
  expect(page).toContain(`<section id="${place}">`);
  for (const name of PROBLEM_NAMES) expect(page).toContain(`<section id="${name}">`);
  expect(page).toContain('Repeat a request with the same body');
});

test('the readable document loads nothing from elsewhere', async () => {
  const response = await fetch(`${api.url}/docs`);
  const page = await response.text();
  const sources = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
  expect(sources.length).toBeGreaterThan(3);
  for (const source of sources) {
    expect(source).toMatch(/^\//);
    expect((await fetch(api.url + source)).status).toBe(200);
  }
  expect(await (await fetch(`${api.url}/docs/start.js`)).text()).toContain('tryItOutEnabled: true');
  expect(page).not.toMatch(/<script(?![^>]*src=)/);
  expect(response.headers.get('content-security-policy')).toContain("script-src 'self';");
});
