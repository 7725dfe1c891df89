/** Goal: a body or a line that is no JSON is answered with what is wrong. Method: bodies that people send. */
import { expect, test } from 'vitest';
import { jsonFault, lineFault } from '../../../../../src/kit/http/body/json-fault.ts';

test.each([
  ['', 'The body is empty, and must be JSON.'],
  ['{"a": ', 'The body is not JSON: it ends too early.'],
  ["{'a': 1}", 'The body is not JSON: look at line 1, column 2.'],
  ['{"a": 1.}', 'The body is not JSON: look at line 1, column 9.'],
  [
    '{"a": 1}\n{"a": 2}',
    'The body goes on behind a whole value of JSON, at line 2, column 1; lines have a type.',
  ],
])('%j', (text, detail) => {
  expect(jsonFault(Buffer.from(text), '; lines have a type')).toBe(detail);
});

test('bytes that are not UTF-8', () => {
  expect(jsonFault(Buffer.from([0x22, 0xff, 0x22]))).toBe('The body is not in UTF-8.');
});

const JSON_A_LINE = 'must be JSON, one object a line';

test.each([
  ['nonsense', "is not from column 1 on: 'nonsense'"],
  ['{"a":[{},[],"\\"]",-1.5e3,true],"b":}', "is not from column 36 on: '}'"],
  ['{"amount": 8,00}', "is not from column 14 on: '00}'"],
  ['{"a":1}{"b":2}', 'is not from column 8 on: \'{"b":2}\''],
])('the line %j', (line, fault) => {
  expect(lineFault(Buffer.from(line))).toBe(`${JSON_A_LINE}, and ${fault}`);
});

test('a line that is not UTF-8', () => {
  expect(lineFault(Buffer.from([0x22, 0xff, 0x22]))).toBe(
    "must be UTF-8, one object a line, and is not from column 2 on: '\u{fffd}\"'",
  );
});

test.each([
  [`{"a": ${'x'.repeat(99)}`, `is not from column 7 on: '${'x'.repeat(39)}…'`],
  [`{"a": "${'x'.repeat(99)}`, `ends too early, after column 106: '…${'x'.repeat(39)}'`],
])('a line is repeated in 40 characters at most', (line, fault) => {
  expect(lineFault(Buffer.from(line))).toBe(`${JSON_A_LINE}, and ${fault}`);
});
