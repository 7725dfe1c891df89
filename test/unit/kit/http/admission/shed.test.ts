/**
 * Goal: the kind of a request follows from its route, and a body weighs what is read of it. Method: a front that refuses all
 * submissions, and one that admits requests by their bytes.
 */
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterAll, describe, expect, test } from 'vitest';
import { openRequestGate } from '../../../../../src/kit/http/admission/shed.ts';
import type { AppEnv } from '../../../../../src/kit/http/app-env.ts';
import { readJson } from '../../../../../src/kit/http/body/body.ts';
import { serve, toListener } from '../../../../../src/kit/http/serve.ts';
import { createMetrics } from '../../../../../src/kit/metrics/metrics.ts';
import { testConfig } from '../../../../support/config.ts';
import { sendRaw } from '../../../../support/raw-http.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

const app = new Hono<AppEnv>();
app.post('/v1/transactions', (c) => c.json({ stored: true }, 201));
app.post('/docs', (c) => c.json({ is: 'a page' }));

const metrics = createMetrics();
const front = openRequestGate(testConfig(), {
  ...{ metrics, takesSubmissions: () => false },
  turnAway: () => undefined,
});
const serving = await serve(front.wrap(toListener(app)), {
  host: '127.0.0.1',
  port: 0,
});
afterAll(async () => {
  await serving.close();
  front[Symbol.dispose]();
});

const statusOf = async (target: string): Promise<string | undefined> => {
  const head = `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  return /^HTTP\/1\.1 (\d+)/.exec(await sendRaw(serving.url, head))?.[1];
};

test.each([
  ['/v1/transactions', '503'],
  ['/v1/transactions?from=/docs', '503'],
  ['/docs/../v1/transactions', '503'],
  ['/docs/%2e%2E/v1/transactions', '503'],
  ['/docs/./../%76%31/transactions', '503'],
  ['http://x/docs/../v1/transactions', '503'],
  ['http://x/%761/transactions', '503'],
  ['/v1/transactions/../../docs', '200'],
  ['/docs?from=/v1/transactions', '200'],
  ['//docs/v1/transactions', '404'],
])('a submission to %s is answered %s', async (target, status) => {
  expect(await statusOf(target)).toBe(status);
});

describe('a body weighs what is read of it', () => {
  const bytes = Buffer.from(`[${' '.repeat(1024 * 1024)}]`);
  const [asked, admitted] = [12, 8];

  test.each([
    ['packed', { 'Content-Encoding': 'gzip' }, gzipSync(bytes)],
    ['without a length', {}, bytes],
  ])('%s', async (_, headers, sent) => {
    const gate = openRequestGate(testConfig(), {
      ...{ metrics, takesSubmissions: () => true, turnAway: () => undefined },
    });
    const { awaitBody } = gate;
    const reading = { bytesMax: 2 * bytes.byteLength, timeoutMs: 10_000, awaitBody };
    const over = Promise.withResolvers<void>();
    const seen = { held: 0, refused: 0 };
    const reader = new Hono<AppEnv>();
    reader.post('/v1/transactions', async (c) => {
      await readJson(c, { ...reading, waitForCpu: () => Promise.resolve() });
      seen.held += 1;
      await over.promise;
      return c.json({});
    });
    reader.onError((_error, c) => c.json({}, 503));
    const own = await serve(gate.wrap(toListener(reader)), {
      ...{ host: '127.0.0.1', port: 0 },
    });
    const answers = Array.from({ length: asked }, async () => {
      const answer = await fetch(`${own.url}/v1/transactions`, {
        ...{ method: 'POST', body: new Blob([sent]).stream(), duplex: 'half' },
        headers: { 'Content-Type': 'application/json', ...headers },
      });
      if (answer.status === 503) seen.refused += 1;
      await answer.text();
    });
    await waitUntil(() => seen.held + seen.refused === asked, 20_000, 'all requests');
    expect(seen).toEqual({ held: admitted, refused: asked - admitted });
    over.resolve();
    await Promise.all(answers);
    await own.close();
    gate[Symbol.dispose]();
  });
});
