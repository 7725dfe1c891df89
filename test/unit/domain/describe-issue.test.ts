import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeIssue } from '../../../src/domain/describe-issue.ts';
import { readConfig } from '../../../src/runtime/config.ts';

const schema = z.strictObject({
  name: z.string().min(1).max(3),
  count: z.int().min(1).max(10),
  kinds: z.array(z.enum(['a', 'b'])).max(1),
  isOn: z.boolean(),
});
const RIGHT = { name: 'x', count: 1, kinds: [], isOn: true };

const details = (value: unknown) =>
  schema
    .safeParse(value, { error: describeIssue })
    .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);

test.each([
  [{ ...RIGHT, name: undefined }, 'name is required'],
  [{ ...RIGHT, name: 7 }, 'name must be a string, not 7'],
  [{ ...RIGHT, name: '' }, 'name must have at least 1 character, not 0'],
  [{ ...RIGHT, name: 'long' }, 'name must have at most 3 characters, not 4'],
  [{ ...RIGHT, count: 11 }, 'count must be at most 10, not 11'],
  [{ ...RIGHT, count: 0 }, 'count must be at least 1, not 0'],
  [{ ...RIGHT, count: 1.5 }, 'count must be a whole number, not 1.5'],
  [{ ...RIGHT, kinds: ['a', 'b'] }, 'kinds must have at most 1 item, not 2'],
  [{ ...RIGHT, kinds: ['c'] }, "kinds.0 must be one of 'a', 'b', not 'c'"],
  [{ ...RIGHT, kinds: {} }, 'kinds must be an array, not an object'],
  [{ ...RIGHT, isOn: null }, 'isOn must be true or false, not null'],
  [[], ' must be an object, not an array'],
])('%j: %s', (value, detail) => {
  expect(details(value)).toEqual([detail]);
});

test('a long text is repeated in part', () => {
  expect(details({ ...RIGHT, isOn: 'y'.repeat(1000) })).toEqual([
    `isOn must be true or false, not '${'y'.repeat(64)}…'`,
  ]);
});

test.each(['abc', '65536', '-1', '80.5', '8e3', ' 80'])(
  'a port is a whole number, not %s',
  (port) => {
    expect(readConfig({ PORT: port })).toEqual({
      problems: [`PORT: must be a whole number from 0 to 65535, not '${port}'`],
    });
  },
);
