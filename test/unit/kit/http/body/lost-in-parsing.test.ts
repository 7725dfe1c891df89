/**
 * Goal: a body of which a parser loses a member or a digit is refused, and no other. Method: texts in each style, and random values.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../../../src/kit/http/body/body.ts';
import { atOnce } from '../../../../../src/kit/process/pauses.ts';
import { InvalidFields } from '../../../../../src/kit/words/field-errors.ts';

const parse = (text: string) => atOnce(parseJson(new TextEncoder().encode(text)));
function pointersOf(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidFields)) throw error;
    return error.errors.map(({ pointer }) => pointer);
  }
}

test.each([
  ['{"a":"1","a":"2"}', '/a'],
  ['{ "a" : 1 ,\n "a" : 1 }', '/a'],
  ['{"list":[{"a":"1"},{"a":"1","b":{"c":[]},"a":"2"}]}', '/list/1/a'],
  ['{"a":{"b":[0,{"c/d":null,"c/d":{"e":{}}}]}}', '/a/b/1/c~1d'],
  [String.raw`{"amount":"1","am\u006funt":"2"}`, '/amount'],
  ['{"__proto__":1,"__proto__":2}', '/__proto__'],
  // The exponent leaves as much room as the repetition takes.
  ['{"a":1e20,"b":"","b":"1234567890"}', '/b'],
  [`{"${'x'.repeat(200)}":1,"${'x'.repeat(200)}":2}`, `/${'x'.repeat(128)}…`],
])('a repeated member is refused at its place: %s', (text, pointer) => {
  expect(pointersOf(text)).toEqual([pointer]);
});

describe('a number that no double is is refused at its place', () => {
  test.each([
    ['12345678901234567890', ['']],
    ['[1,-12345678901234567890 ,{"a":1e400}]', ['/1', '/2/a']],
    ['{"a":{"b":[0.1,0.10000000000000001]},"c":9007199254740993}', ['/a/b/1', '/c']],
    ['{"a":1,"a":12345678901234567890}', ['/a', '/a']],
    [`[${Array(30).fill('1e999').join()}]`, Array.from({ length: 20 }, (_, at) => `/${at}`)],
    [`{"n":1${'0'.repeat(20)}1}`, ['/n']],
  ])('%s', (text, pointers) => {
    expect(pointersOf(text)).toEqual(pointers);
  });

  test('and its digits are told in short', () => {
    expect(() => parse(`{"n":${'7'.repeat(1000)}}`)).toThrow(
      `/n must be a number that a double keeps, and ${'7'.repeat(40)}… would become Infinity: send a text.`,
    );
  });
});

describe('a body without one is parsed', () => {
  test.each([
    String.raw`{"a":"\"a\":1,\"a\":2","b\"":1,"b":"\\"}`,
    '{"constructor":1,"__proto__":{"x":1},"toString":[]}',
    '\ufeff{"a":"é😀"}',
    '{"12345678901234567890":"12345678901234567890","e":[1E2,-0,0.1e-7,100000000000000000000]}',
    String.raw`{"a":"\"12345678901234567890","b":[true,false,null,-1.5e+3]}`,
  ])('%s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text.replace('\ufeff', '')));
  });

  test('however deep it is', () => {
    const levels = 50_000;
    expect(parse(`${'[{"a":'.repeat(levels)}1${'}]'.repeat(levels)}`)).toHaveLength(1);
  });
});

test('random values pass in each style, and none with a member once more', () => {
  const key = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.string());
  const object = fc.dictionary(key, fc.jsonValue(), { minKeys: 1, noNullPrototype: true });
  const style = fc.constantFrom(undefined, 1, 2, '\t');
  const around = fc.constantFrom<[string, string]>(['', ''], ['[1,', ']'], ['{"x":', '}']);
  fc.assert(
    fc.property(object, style, around, fc.jsonValue(), (value, space, [before, after], again) => {
      const text = JSON.stringify(value, null, space);
      expect(parse(text)).toEqual(JSON.parse(text));
      const name = JSON.stringify(Object.keys(value)[0]);
      const repeated = text.replace(/\}$/, () => `,${name}:${JSON.stringify(again)}}`);
      expect(pointersOf(`${before}${repeated}${after}`)).toHaveLength(1);
    }),
  );
});
