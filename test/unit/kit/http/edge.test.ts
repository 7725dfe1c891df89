/** The small parts of the edge: preferences, keys in headers, lines, problems. */
import { describe, expect, test, vi } from 'vitest';
import { readIdempotencyKey } from '../../../../src/core/accept/idempotency-key.ts';
import { Problem, problemResponse, toProblem } from '../../../../src/kit/http/answers/problem.ts';
import { type RawLine, readLineChunks } from '../../../../src/kit/http/body/line-reader.ts';
import { readPreferences } from '../../../../src/kit/http/prefer.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { InvalidFields } from '../../../../src/kit/words/field-errors.ts';

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

  test.each([
    ['CRLF', '1\r\n2\r\n\r\n3\r\n4'],
    ['CR', '1\r2\r\r3\r4\r'],
    ['LF, CRLF and CR', '1\n2\r\n3\r4'],
  ])('ends lines with %s, wherever chunks are cut', async (_name, text) => {
    const lines = (await read(parts(...text))).flat();
    expect(lines).toEqual(['1', '2', '3', '4']);
    expect((await read(parts(text))).flat()).toEqual(lines);
  });

  test('gives up a flood of blank lines, and takes more of them beside other lines', async () => {
    const flood = (text: string) => Array.from({ length: 41 }, () => text.repeat(1000));
    await expect(read(parts(...flood('\n'.repeat(25))))).rejects.toMatchObject({
      problem: 'malformed-request',
    });
    const others = await read(parts(...flood(`a${'\n'.repeat(26)}`)));
    expect(others.flat()).toHaveLength(41_000);
  });

  test('ends a chunk by the bytes that arrived, as a line keeps its piece in memory', async () => {
    const piece = `a\n${' '.repeat(9)}\n`;
    expect(await read(parts(piece, piece, piece, piece, piece))).toEqual([
      ['a', 'a'],
      ['a', 'a'],
      ['a'],
    ]);
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

describe('toProblem', () => {
  const failure = (kind: Failure['kind']) => new Failure(kind, 'CODE', 'driver says: password=x');

  test('keeps what a driver says to itself', async () => {
    const problem = toProblem(failure('unavailable')) ?? new Problem('internal', '');
    expect(await problemResponse(problem, 'x').text()).not.toContain('password');
  });

  test('knows nothing of bugs and of what the data did', () => {
    expect(toProblem(new TypeError('x'))).toBeUndefined();
    expect(toProblem(failure('permanent'))).toBeUndefined();
  });
});
