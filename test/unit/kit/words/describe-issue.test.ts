import { expect, test } from 'vitest';
import { z } from 'zod';
import { DESCRIBED, given, issueText } from '../../../../src/kit/words/describe-issue.ts';

const schema = z.strictObject({
  name: z.string().min(1).max(3),
  count: z.int().min(1).max(10),
  kinds: z.array(z.enum(['a', 'b'])).max(1),
  isOn: z.boolean(),
});
const RIGHT = { name: 'x', count: 1, kinds: [], isOn: true };

const details = (value: unknown) =>
  schema
    .safeParse(value, DESCRIBED)
    .error?.issues.map((issue) => `${issue.path.join('.')} ${issueText(issue)}`);

test.each([
  [{ ...RIGHT, name: undefined }, 'name is required'],
  [{ ...RIGHT, name: 7 }, 'name must be a string, not 7'],
  [{ ...RIGHT, name: 'long' }, 'name must have at most 3 characters, not 4'],
  [{ ...RIGHT, count: 11 }, 'count must be at most 10, not 11'],
  [{ ...RIGHT, count: 1.5 }, 'count must be a whole number, not 1.5'],
  [{ ...RIGHT, kinds: ['c'] }, "kinds.0 must be one of 'a', 'b', not 'c'"],
  [{ ...RIGHT, kinds: {} }, 'kinds must be an array, not an object'],
  [{ ...RIGHT, isOn: null }, 'isOn must be true or false, not null'],
  [[], ' must be an object, not an array'],
  [{ ...RIGHT, more: 1 }, " must not have 'more'"],
])('%j: %s', (value, detail) => {
  expect(details(value)).toEqual([detail]);
});

test('a check of several fields names the value that it is given', () => {
  const say = (input?: string) =>
    issueText({ code: 'custom', path: [], message: 'must be x with y', input });
  expect([say(), say('z')]).toEqual(['must be x with y', "must be x with y, not 'z'"]);
});

test('a long text is repeated in part', () => {
  expect(details({ ...RIGHT, isOn: 'y'.repeat(1000) })).toEqual([
    `isOn must be true or false, not '${'y'.repeat(64)}…'`,
  ]);
});

test('a text is repeated without what a terminal obeys, and cut between characters', () => {
  expect(given('a\u001b[31mb\u0007\u202ec\nd')).toBe("'a\ufffd[31mb\ufffd\ufffdc\ufffdd'");
  expect(given('😀'.repeat(64))).toBe(`'${'😀'.repeat(64)}'`);
  expect(given(`x${'😀'.repeat(64)}`)).toBe(`'x${'😀'.repeat(63)}…'`);
});
