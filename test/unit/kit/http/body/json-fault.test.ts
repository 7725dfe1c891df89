/** Goal: a body that is no JSON is answered with what is wrong. Method: bodies that people send. */
import { expect, test } from 'vitest';
import { jsonFault } from '../../../../../src/kit/http/body/json-fault.ts';

test.each([
  ['', 'The body is empty, and must be JSON.'],
  ['{"a": ', 'The body is not JSON: it ends too early.'],
  ['{"a": "b', 'The body is not JSON: it ends too early.'],
  ["{'a': 1}", 'The body is not JSON: look at line 1, column 2.'],
  ['{"a": 1,\n}', 'The body is not JSON: look at line 2, column 1.'],
  ['nonsense', 'The body is not JSON.'],
])('%j', (text, detail) => {
  expect(jsonFault(Buffer.from(text))).toBe(detail);
});

test('bytes that are not UTF-8', () => {
  expect(jsonFault(Buffer.from([0x22, 0xff, 0x22]))).toBe('The body is not in UTF-8.');
});
