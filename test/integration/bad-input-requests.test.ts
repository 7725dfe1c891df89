/**
 * Goal: requests that are too large, too slow or not HTTP end with the answer of the contract, soon and
 * without a 500. Method: an API process with small limits, and raw sockets where a client library would
 * refuse to misbehave.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { expectProblem } from '../support/problem.ts';
import { sendChunks, sendRaw, writeThenRead } from '../support/raw-http.ts';
import { RUNNING_API_KEY as KEY, openRunningApi } from '../support/running-api.ts';
import { answerOf, input, postJson } from '../support/submit.ts';

const BODY_BYTES_MAX = 256 * 1024;
const TIMEOUT_MS = 1500;

const api = await openRunningApi({
  RISK_BODY_BYTES_MAX: String(BODY_BYTES_MAX),
  RISK_REQUEST_TIMEOUT_MS: String(TIMEOUT_MS),
});

/** Status and body of an answer, from the raw bytes. */
function expectUsualHeaders(answer: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  for (const header of ['x-content-type-options: nosniff', 'cache-control: no-store']) {
    expect(head.toLowerCase()).toContain(header);
  }
  expect(head).toMatch(/^strict-transport-security: max-age=31536000/im);
  expect(head).toMatch(/^content-security-policy: default-src 'none'/im);
  const requestId = /^x-request-id: (\S+)$/im.exec(head)?.[1];
  expect(JSON.parse(body)).toMatchObject({ instance: requestId });
}

describe('bodies', () => {
  test.each([
    ['text/plain', {}],
    ['application/json; charset=utf-16', {}],
    ['application/xml', {}],
    ['application/x-ndjson', {}],
    ['application/json', { 'Content-Encoding': 'zstd' }],
    ['application/json', { 'Content-Encoding': 'deflate' }],
  ])('as %s %o are 415', async (type, headers) => {
    const body = new Uint8Array(gzipSync(JSON.stringify(input())));
    const refused = await postJson(api, body, undefined, { 'Content-Type': type, ...headers });
    expect('errors' in (await expectProblem(refused, 415)).body).toBe(false);
  });

  test('that declare too much are 413 before a byte of them is read', async () => {
    const answer = await sendRaw(
      api.url,
      `POST /v1/transactions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('urn:risk:problem:too-large');
  });

  test('that declare too much are answered to a sender that writes all before it reads', async () => {
    const bytes = 9 * 1024 * 1024;
    const head = `POST /v1/transactions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`;
    const { fault, answer } = await writeThenRead(api.url, head, Buffer.alloc(bytes, 'a'));
    expect([fault, answer]).toEqual([null, expect.stringMatching(/^HTTP\/1.1 413 .*too-large/s)]);
  });

  test('that grow too large without saying so are 413 while they arrive', async () => {
    const answer = await sendChunks(api.url, KEY, 200, Buffer.alloc(64 * 1024, 'a'));
    expect(answer.status).toBe(413);
    expect(answer.sent).toBeLessThan(200 * 64 * 1024);
  });

  test('exactly as large as allowed are read', async () => {
    const text = JSON.stringify(input());
    const padded = text + ' '.repeat(BODY_BYTES_MAX - text.length);
    expect((await postJson(api, padded)).status).toBe(201);
    await expectProblem(await postJson(api, `${padded} `), 413);
  });

  test('that stop arriving are 408 at the deadline, and the connection ends', {
    retry: 2,
  }, async () => {
    const startedAt = performance.now();
    const answer = await sendRaw(
      api.url,
      `POST /v1/transactions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + 3000);
  });

  test('of requests nobody serves do not hold a connection', async () => {
    const answer = await sendRaw(
      api.url,
      `POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a"`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('requests', () => {
  test.each([
    [
      'a length and chunks at once',
      'POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['headers beyond 16 KiB', `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('with %s are 400 in problem+json', async (_name, text) => {
    const answer = await sendRaw(api.url, text);
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
    expect(answer).toContain('application/problem+json');
    expectUsualHeaders(answer);
  });

  test('whose headers never end are cut off', { retry: 2 }, async () => {
    const startedAt = performance.now();
    const answer = await sendRaw(api.url, 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(answer).toMatch(/^(HTTP\/1.1 408 |$)/);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('to a path nobody serves are 404, with a method it does not take 405', async () => {
    await expectProblem(await api.request('/v1/nowhere'), 404);
    const answer = await expectProblem(
      await api.request('/v1/transactions', { method: 'PUT' }),
      405,
    );
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
    await expectProblem(await api.request('/livez', { method: 'DELETE' }), 405);
    const { body } = await expectProblem(await api.post('/v1/transactions/bulk', {}), 405);
    expect(body.detail).toBe(
      "The path takes GET, HEAD, not POST: 'bulk' was taken for an id, and /v1/transactions/batch takes POST.",
    );
  });

  test.each([
    ['/v1/transactions/', 404, 'the nearest path is /v1/transactions.'],
    ['/transactions', 404, 'the nearest path is /v1/transactions.'],
    ['/v1/events', 404, "Nothing is served at '/v1/events'; all paths are in /docs."],
    ['/v1/scores/ffffffff-ffff-7fff-bfff-ffffffffffff', 404, ''],
    ['/v1/scores/ffffffff-ffff-7fff-bfff-ffffffffffff?foo=1', 422, 'the parameters are fields'],
    ['/v1/scores/abc', 422, "/id must be a UUID, not 'abc'"],
    ['/v1/transactions?corridr=US-EG', 422, 'is not a parameter; corridor is'],
    ['/v1/transactions?__proto__=1', 422, 'is not a parameter'],
    ['/v1/transactions?limit=1&limit=2', 422, 'once'],
    ['/v1/transactions?from=2026-11-20T09:30:00+00:00', 422, 'its zone encoded as %2B'],
    ['/v1/transactions?from=2026-11-20T09:30:00%2B00:00', 200, ''],
    ['/v1/transactions?from=0000-01-01T00:00:00Z', 422, ''],
    ['/v1/accounts/a/profile?at=9999-12-31T23:59:59-23:59', 422, ''],
    ['/v1/summaries/daily?from=9999-12-31&to=9999-12-31', 422, ''],
    ['/v1/transactions/%00', 422, ''],
    ['/v1/keys/%00', 405, ''],
  ])('to %s are %i, with what cures them', async (path, status, advice) => {
    const { status: answered, body } = await answerOf(await api.request(path));
    expect([answered, body.detail ?? '']).toEqual([status, expect.stringContaining(advice)]);
  });

  test.each([
    [
      KEY,
      "The header Authorization must be Bearer and an API key, as 'Bearer KEY'; put Bearer and a space in front of the key.",
    ],
    ['Bearer ', 'The key behind Bearer in the header Authorization is empty.'],
    [`Bearer "${KEY}"`, 'The key stands in quotes: leave out the quotes.'],
    [`Bearer '${KEY}'`, 'The key stands in quotes: leave out the quotes.'],
    [`Bearer ${KEY}x`, 'The key is unknown, revoked or expired.'],
  ])('with the header Authorization %j are 401 with the cure', async (Authorization, detail) => {
    const answer = await fetch(`${api.url}/v1/me`, { headers: { Authorization } });
    expect([answer.status, (await answerOf(answer)).body.detail]).toEqual([401, detail]);
  });

  test.each([
    ['GET /livez HTTP/1.1\r\nHost: a b', 400],
    ['GET /livez HTTP/1.1\r\nX-None: 1', 400],
    ['OPTIONS * HTTP/1.1\r\nHost: x', 400],
    ['GET ftp://x/livez HTTP/1.1\r\nHost: x', 400],
    ['POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: foo', 417],
  ])('with a head of %j are problems', async (head, status) => {
    const answer = await sendRaw(api.url, `${head}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expectUsualHeaders(answer);
  });

  test('of HTTP/1.0 need no Host', async () => {
    expect(await sendRaw(api.url, 'GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  test('carry the security headers whatever they are answered', async () => {
    for (const path of ['/livez', '/v1/nowhere', '/docs', '/v1/transactions?limit=x']) {
      const { headers } = await api.request(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('strict-transport-security')).toContain('max-age=31536000');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });
});
