/**
 * Goal: the API is what its document says: routes and schemas; who may call them is in access.test.ts. Method: an API
 * process whose own document drives the requests.
 */
import { readdir } from 'node:fs/promises';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenApi, readOpenApi } from '../support/openapi.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { idAt } from '../support/stored-rows.ts';
import { input, labelInput } from '../support/submit.ts';

const NOW = Date.now();

let api: RunningApi;
let openApi: OpenApi;
beforeAll(async () => {
  api = await startRunningApi();
  openApi = await readOpenApi(api.url);
});
afterAll(() => api[Symbol.asyncDispose]());

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

  test('has every route that a routes file serves, and no other', async () => {
    const folder = new URL('../../src/http/routes/', import.meta.url);
    const modules: object[] = [];
    for (const name of await readdir(folder))
      modules.push(await import(new URL(name, folder).href));
    // Registering routes calls none of these functions.
    const anything: object = new Proxy(() => undefined, { get: () => anything });
    const served = modules.flatMap((module) =>
      Object.entries(module as Record<string, unknown>).flatMap(([name, create]) => {
        if (!name.endsWith('Routes') || typeof create !== 'function') return [];
        const { routes } = create(name === 'docsRoutes' ? {} : anything) as Hono;
        return routes
          .filter(({ method }) => method !== 'ALL')
          .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
      }),
    );
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

test('keys are needed everywhere but where the contract says otherwise', () => {
  const open = openApi.operations.filter(({ operation }) => operation.security?.length === 0);
  expect(open.map(({ path: pattern }) => pattern).filter((p) => !p.startsWith('/docs'))).toEqual([
    '/livez',
    '/readyz',
    '/openapi.json',
  ]);
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
  expect(page).not.toMatch(/<script(?![^>]*src=)/);
  expect(response.headers.get('content-security-policy')).toContain("script-src 'self';");
});
