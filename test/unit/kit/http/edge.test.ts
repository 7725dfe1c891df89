/** The small parts of the edge: preferences, keys in headers, lines, methods, problems. */
import { describe, expect, test, vi } from 'vitest';
import { readIdempotencyKey } from '../../../../src/core/accept/idempotency-key.ts';
import { apiKeyHash, mintApiKey } from '../../../../src/kit/access/api-key.ts';
import { Problem, problemResponse, toProblem } from '../../../../src/kit/http/answers/problem.ts';
import { type RawLine, readLineChunks } from '../../../../src/kit/http/body/line-reader.ts';
import { createMethodTable } from '../../../../src/kit/http/method-table.ts';
import { readPreferences, waitApplied } from '../../../../src/kit/http/prefer.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { InvalidFields, jsonPointer } from '../../../../src/kit/words/field-error.ts';

describe('readPreferences', () => {
  test.each<[string | undefined, number, boolean, string[]?]>([
    [undefined, 0, false],
    ['wait=2', 2000, false],
    ['Wait = 0.25', 250, false],
    ['return=minimal, wait="1.5"; x=y', 1500, true],
    ['wait=1, wait=3', 1000, false],
    ['wait=99999', 10_000, false],
    ['wait=-1', 0, false, ['wait']],
    ['wait=1e3', 0, false, ['wait']],
    ['return=all, handling=strict', 0, false, ['return']],
    ['waiting=3', 0, false],
  ])('%s', (header, waitMs, isMinimal, unread = []) => {
    const read = { waitMs, isMinimal, isLenient: false, unread };
    expect(readPreferences(header, 10_000)).toEqual(read);
  });

  test('handling=lenient is read beside others', () => {
    expect(readPreferences('wait=1, Handling=lenient', 10_000)).toEqual({
      waitMs: 1000,
      isMinimal: false,
      isLenient: true,
      unread: [],
    });
  });

  test('waitApplied writes seconds', () => {
    expect([2000, 500, 1].map(waitApplied)).toEqual(['wait=2', 'wait=0.5', 'wait=0.001']);
  });
});

describe('readIdempotencyKey', () => {
  test.each([
    [undefined, undefined],
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['"unclosed', '"unclosed'],
    [' x ', 'x'],
  ])('%s is %s', (header, key) => {
    expect(readIdempotencyKey(header)).toBe(key);
  });

  test.each(['', '""', 'x'.repeat(256), '"a\u0001"'])('%j is refused', (header) => {
    expect(() => readIdempotencyKey(header)).toThrow(InvalidFields);
  });
});

describe('readLineChunks', () => {
  const limits = {
    lineBytesMax: 10,
    chunkLinesMax: 3,
    chunkBytesMax: 20,
    pauseMs: 20,
    timeoutMs: 1000,
  };
  async function* parts(...texts: readonly (string | number)[]) {
    for (const part of texts) {
      if (typeof part === 'string') yield Buffer.from(part);
      else await new Promise((resolve) => setTimeout(resolve, part));
    }
  }
  const read = async (body: AsyncGenerator<Uint8Array>) => {
    const chunks: (string | null)[][] = [];
    const indexes: number[] = [];
    for await (const chunk of readLineChunks(body, limits)) {
      chunks.push(chunk.map(({ bytes }: RawLine) => bytes && Buffer.from(bytes).toString()));
      indexes.push(...chunk.map(({ index }) => index));
    }
    expect(indexes).toEqual(indexes.map((_, n) => n));
    return chunks;
  };

  test('joins what arrives in parts and skips blank lines', async () => {
    expect(await read(parts('a', 'b\n\n \r\nc', 'd\n', 'e'))).toEqual([['ab', 'cd', 'e']]);
  });

  test('gives up a flood of blank lines, and takes more of them beside other lines', async () => {
    const flood = (text: string) => Array.from({ length: 41 }, () => text.repeat(1000));
    await expect(read(parts(...flood('\n'.repeat(25))))).rejects.toMatchObject({
      problem: 'malformed-request',
    });
    const others = await read(parts(...flood(`a${'\n'.repeat(26)}`)));
    expect(others.flat()).toHaveLength(41_000);
  });

  test('ends a chunk at its lines and at its bytes', async () => {
    expect(await read(parts('1\n2\n3\n4\n'))).toEqual([['1', '2', '3'], ['4']]);
    expect(await read(parts('123456789\n123456789\n123\n4\n'))).toEqual([
      ['123456789', '123456789', '123'],
      ['4'],
    ]);
  });

  test('gives null for a line that is too long, however it arrives', async () => {
    const long = 'x'.repeat(11);
    expect(await read(parts(`a\n${long}\nb\n`))).toEqual([['a', null, 'b']]);
    expect(await read(parts('a\n', ...long, '\n', 'b\n'))).toEqual([['a', null, 'b']]);
    expect(await read(parts(long.repeat(9)))).toEqual([[null]]);
    expect(await read(parts('x'.repeat(10)))).toEqual([['x'.repeat(10)]]);
  });

  test('ends a chunk when the sender pauses', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const reading = read(parts('a\nb\n', 60, 'c\n'));
      await vi.advanceTimersByTimeAsync(60);
      expect(await reading).toEqual([['a', 'b'], ['c']]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('gives up a sender that falls silent', async () => {
    const silent = { ...limits, timeoutMs: 30 };
    const chunks = readLineChunks(parts('a', 500, '\n'), silent);
    await expect(chunks.next()).rejects.toMatchObject({ problem: 'request-timeout' });
  });

  test('holds nothing against the sender while a chunk is worked on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const chunks = readLineChunks(parts('1\n2\n3\n4\n', 60, '5\n', 2000, '6\n'), limits);
      const take = async (afterMs: number) => {
        const taken = chunks.next();
        taken.catch(() => undefined);
        await vi.advanceTimersByTimeAsync(afterMs);
        const { value } = await taken;
        return value?.map(({ bytes }: RawLine) => bytes && Buffer.from(bytes).toString());
      };
      expect(await take(0)).toEqual(['1', '2', '3']);
      await vi.advanceTimersByTimeAsync(1.5 * limits.timeoutMs);
      expect(await take(limits.pauseMs)).toEqual(['4']);
      await vi.advanceTimersByTimeAsync(1.5 * limits.timeoutMs);
      expect(await take(limits.pauseMs)).toEqual(['5']);
      await expect(take(limits.timeoutMs)).rejects.toMatchObject({ problem: 'request-timeout' });
    } finally {
      vi.useRealTimers();
    }
  });
});

test('createMethodTable tells what a path takes', () => {
  const table = createMethodTable([
    { method: 'GET', path: '/v1/a/:id' },
    { method: 'POST', path: '/v1/a/batch' },
    { method: 'DELETE', path: '/v1/a/:id' },
    { method: 'ALL', path: '/v1/*' },
    { method: 'GET', path: '/x.json' },
  ]);
  expect(table.allowedAt('/v1/a/7')).toEqual(['DELETE', 'GET', 'HEAD']);
  expect(table.allowedAt('/v1/a/batch')).toEqual(['POST']);
  const mistaken = table.mistaken.map(({ method, path }) => `${method} ${path}`);
  expect(mistaken.sort()).toEqual(['DELETE', 'GET', 'HEAD'].map((one) => `${one} /v1/a/batch`));
  expect(table.allowedAt('/v1/a')).toEqual([]);
  expect(table.allowedAt('/v1/a/7/8')).toEqual([]);
  expect(table.allowedAt('/xyjson')).toEqual([]);
});

test('jsonPointer escapes', () => {
  expect(jsonPointer(['a/b', 0, 'c~d'])).toBe('/a~1b/0/c~0d');
});

describe('toProblem', () => {
  const failure = (kind: Failure['kind']) => new Failure(kind, 'CODE', 'driver says: password=x');

  test.each([
    ['invalid', 422],
    ['conflict', 409],
    ['not-found', 404],
    ['unavailable', 503],
    ['transient', 503],
  ] as const)('%s is %s', async (kind, status) => {
    const problem = toProblem(failure(kind)) ?? new Problem('internal', '');
    const response = problemResponse(problem, 'id-1');
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
    expect(await response.json()).toMatchObject({ status, instance: 'id-1' });
  });

  test('keeps what a driver says to itself', async () => {
    const problem = toProblem(failure('unavailable')) ?? new Problem('internal', '');
    expect(await problemResponse(problem, 'x').text()).not.toContain('password');
  });

  test('knows nothing of bugs and of what the data did', () => {
    expect(toProblem(new TypeError('x'))).toBeUndefined();
    expect(toProblem(failure('permanent'))).toBeUndefined();
  });
});

test('minted keys differ, and their hash is of the whole key', () => {
  const keys = Array.from({ length: 100 }, mintApiKey);
  expect(new Set(keys.map(({ key }) => key)).size).toBe(100);
  for (const { keyId, key, keyHash } of keys) {
    expect(key).toMatch(new RegExp(`^risk_${keyId}_[0-9A-Za-z]{49}$`));
    expect(apiKeyHash(key)).toEqual(keyHash);
  }
});
