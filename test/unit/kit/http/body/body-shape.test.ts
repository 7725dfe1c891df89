import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../../../src/kit/http/body/body.ts';
import { shapeOf } from '../../../../../src/kit/http/body/body-shape.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the shape of a JSON text', () => {
  test.each([
    ['', 0, 0],
    ['7', 0, 0],
    ['[]', 1, 1],
    ['{"a":[{"b":1},2]}', 3, 5],
    [String.raw`{"a":"[{:\"[","b":"\\"}`, 1, 3],
    ['"[[[', 0, 0],
    [']]][', 0, 1],
  ])('%j', (text, depth, parts) => {
    expect(shapeOf(bytes(text))).toEqual({ depth, parts });
  });
});

describe('a large body', () => {
  const filler = `"${'x'.repeat(600_000)}"`;
  const nested = (levels: number) => `${'['.repeat(levels)}${filler}${']'.repeat(levels)}`;

  test.each([33, 300_000])('of %i levels is refused unparsed', (levels) => {
    expect(() => parseJson(bytes(nested(levels)))).toThrow(
      `must have at most 32 levels, not ${levels}`,
    );
  });

  test('of too many parts is refused unparsed', () => {
    expect(() => parseJson(bytes(`[${'{},'.repeat(400_000)}{}]`))).toThrow('100000 are allowed');
    expect(parseJson(bytes(`[${'{},'.repeat(90_000)}${filler}]`))).toHaveLength(90_001);
  });
});
