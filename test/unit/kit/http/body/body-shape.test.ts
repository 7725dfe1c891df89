import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../../../src/kit/http/body/body.ts';
import { shapeOf } from '../../../../../src/kit/http/body/body-shape.ts';
import { atOnce } from '../../../../../src/kit/process/pauses.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  ['', 0, 0, 1],
  ['7', 0, 0, 1],
  ['[]', 1, 1, 1],
  ['{"a":[{"b":1},2]}', 3, 5, 2],
  ['[[1,2,3],[4,5],{"a":1}]', 2, 5, 3],
  [String.raw`{"a":"[{:,,\"[","b":"\\"}`, 1, 3, 2],
  ['"[[[', 0, 0, 1],
  [']]][', 0, 1, 1],
])('the shape of a JSON text: %j', (text, depth, parts, width) => {
  expect(atOnce(shapeOf(bytes(text)))).toMatchObject({ depth, parts, width });
});

describe('a large body', () => {
  const filler = `"${'x'.repeat(600_000)}"`;
  const nested = (levels: number) => `${'['.repeat(levels)}${filler}${']'.repeat(levels)}`;

  test.each([33, 300_000])('of %i levels is refused unparsed', (levels) => {
    expect(() => atOnce(parseJson(bytes(nested(levels))))).toThrow(
      `must have at most 32 levels, not ${levels}`,
    );
  });

  test('of too many parts is refused unparsed', () => {
    const lists = (count: number) => `[${`[${'{},'.repeat(1000)}{}],`.repeat(count)}${filler}]`;
    expect(() => atOnce(parseJson(bytes(lists(100))))).toThrow('100000 are allowed');
    expect(atOnce(parseJson(bytes(lists(90))))).toHaveLength(91);
  });

  test.each(['1', '{}', '"a":1'])('of a million times %s is refused unparsed', (item) => {
    const all = `${`${item},`.repeat(999_999)}${item}`;
    const text = item.includes(':') ? `{${all}}` : `{"ids":[${all}]}`;
    expect(() => atOnce(parseJson(bytes(text)))).toThrow('of 1000000 items, and 10000 are allowed');
  });
});
