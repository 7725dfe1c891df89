/**
 * Goal: bodies come packed and answers go packed, within the limits of plain ones. Method: an API process; answers are unpacked by
 * the test where fetch would do so unseen.
 */
import { request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { RUNNING_API_KEY, spawnRunningApi } from '../support/running-api.ts';
import { count, input } from '../support/submit.ts';

const api = await openForFile(spawnRunningApi());

const JSON_TYPE = { 'Content-Type': 'application/json' };
const LINES_TYPE = { 'Content-Type': 'application/x-ndjson' };
const inputs = (size: number) => Array.from({ length: size }, () => input());
const PACK = { gzip: gzipSync, br: brotliCompressSync } as const;
const packed = (body: string, encoding: keyof typeof PACK) => new Uint8Array(PACK[encoding](body));

/** The answer as it was sent: fetch would unpack it. */
function ask(path: string, headers: Record<string, string>, body?: Uint8Array) {
  const answered = Promise.withResolvers<{
    status: number | undefined;
    headers: NodeJS.Dict<string | string[]>;
    bytes: Buffer;
  }>();
  const asked = httpRequest(`${api.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${RUNNING_API_KEY}`, ...headers },
  });
  asked.on('response', async (answer) => {
    const { statusCode: status, headers: received } = answer;
    answered.resolve({ status, headers: received, bytes: await buffer(answer) });
  });
  asked.on('error', answered.reject);
  asked.end(body);
  return answered.promise;
}

describe('bodies', () => {
  test.each(['gzip', 'br'] as const)('as %s are stored as plain ones', async (encoding) => {
    const body = packed(JSON.stringify({ transactions: inputs(300) }), encoding);
    const headers = { ...JSON_TYPE, 'Content-Encoding': encoding };
    const answer = await api.request('/v1/transactions/batch', { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toMatchObject([200, { accepted: 300 }]);
  });

  test('of lines are unpacked while they arrive', async () => {
    const lines = inputs(2500)
      .map((one) => `${JSON.stringify(one)}\n`)
      .join('');
    const headers = { ...LINES_TYPE, 'Content-Encoding': 'gzip' };
    const body = packed(lines, 'gzip');
    const answer = await api.request('/v1/transactions/batch', { method: 'POST', headers, body });
    const last = (await answer.text()).trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ done: true, accepted: 2500, refused: 0 });
  });

  test.each(['gzip', 'br'] as const)(
    'that unpack to more than is allowed are 413 (%s)',
    async (encoding) => {
      // 16 kB of gzip, and less of brotli.
      const body = packed(' '.repeat(16 * 1024 * 1024), encoding);
      const headers = { ...JSON_TYPE, 'Content-Encoding': encoding };
      const refused = await api.request('/v1/transactions/batch', {
        method: 'POST',
        headers,
        body,
      });
      expect([refused.status, await refused.json()]).toMatchObject([
        413,
        { title: 'The body is too large' },
      ]);
    },
  );

  test.each([
    ['are cut off', (body: Uint8Array) => body.subarray(0, body.byteLength / 2), 'gzip', 400],
    ['are something else', () => new Uint8Array(Buffer.from('{"account_id":"a"}')), 'gzip', 400],
    ['are something else', () => new Uint8Array(Buffer.from('{"account_id":"a"}')), 'br', 400],
    [
      'have bytes behind their end',
      (body: Uint8Array) => Buffer.concat([body, Buffer.from('{}')]),
      'gzip',
      400,
    ],
    [
      'have bytes behind their end',
      (body: Uint8Array) => Buffer.concat([body, Buffer.from('{}')]),
      'br',
      400,
    ],
    ['have an unknown encoding', (body: Uint8Array) => body, 'zstd', 415],
    ['have two encodings', (body: Uint8Array) => body, 'gzip, gzip', 415],
  ])('that %s are refused', async (_, spoil, encoding, status) => {
    const before = await count(api, 'transactions');
    const text = JSON.stringify({ transactions: inputs(50) });
    const body = spoil(packed(text, encoding === 'br' ? 'br' : 'gzip'));
    const headers = { ...JSON_TYPE, 'Content-Encoding': encoding };
    const refused = await api.request('/v1/transactions/batch', { method: 'POST', headers, body });
    expect(refused.status).toBe(status);
    expect(((await refused.json()) as { detail: string }).detail).toContain(encoding);
    expect(await count(api, 'transactions')).toBe(before);
  });
});

describe('answers', () => {
  const page = '/v1/transactions?limit=100';
  const posted = async () => {
    const body = new Uint8Array(Buffer.from(JSON.stringify({ transactions: inputs(100) })));
    return await ask('/v1/transactions/batch', { ...JSON_TYPE, 'Accept-Encoding': 'gzip' }, body);
  };

  test.each([
    ['gzip', 'gzip', gunzipSync],
    ['br', 'br', brotliDecompressSync],
    ['gzip, deflate, br;q=0.5', 'br', brotliDecompressSync],
    ['br;q=0, GZIP', 'gzip', gunzipSync],
  ])('to Accept-Encoding %s are sent as %s', async (accepted, encoding, unpackSync) => {
    await posted();
    const plain = await ask(page, { 'Accept-Encoding': 'identity' });
    const answer = await ask(page, { 'Accept-Encoding': accepted });
    expect(answer.headers).toMatchObject({ 'content-encoding': encoding });
    expect(answer.bytes.byteLength).toBeLessThan(plain.bytes.byteLength / 3);
    expect(JSON.parse(String(unpackSync(answer.bytes)))).toEqual(JSON.parse(String(plain.bytes)));
  });

  test('are plain that are short, or answer a plain write', async () => {
    const short = await ask('/v1/transactions?limit=1&account_id=nobody', {
      'Accept-Encoding': 'gzip',
    });
    expect(short.headers['content-encoding']).toBeUndefined();
    const { headers, bytes } = await posted();
    expect(headers['content-encoding']).toBeUndefined();
    expect(bytes.byteLength).toBeGreaterThan(1024);
  });

  test('have a strong tag in each encoding, by which they are not sent again', async () => {
    const path = '/v1/features';
    const tagOf = async (encoding: string, given?: string) => {
      const known = given === undefined ? {} : { 'If-None-Match': given };
      const { status, headers } = await ask(path, { 'Accept-Encoding': encoding, ...known });
      return [status, headers['etag']];
    };
    const tags: unknown[] = [];
    for (const encoding of ['identity', 'gzip', 'br']) {
      const [status, tag] = await tagOf(encoding);
      expect([status, tag]).toEqual([200, expect.stringMatching(/^"[\w-]+"$/)]);
      expect(await tagOf(encoding, `"x", W/${tag}`)).toEqual([304, tag]);
      tags.push(tag);
    }
    expect(new Set(tags).size).toBe(3);
    const [plain, gzip] = tags as [string, string];
    expect(await tagOf('gzip', plain)).toEqual([304, plain]);
    expect(await tagOf('identity', gzip)).toEqual([200, plain]);
  });
});
