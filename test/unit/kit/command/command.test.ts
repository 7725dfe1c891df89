import { expect, test } from 'vitest';
import { integerOption, parseArguments, UsageError } from '../../../../src/kit/command/command.ts';

const OPTIONS = { sample: { type: 'string' } } as const;

test('parseArguments gives values and words, and knows --json and --help everywhere', () => {
  const args = ['scores', '--sample', '5', '--json', '-h'];
  const { values, positionals } = parseArguments(args, OPTIONS, { required: ['WHAT'] });
  expect({ ...values }).toEqual({ sample: '5', json: true, help: true });
  expect(positionals).toEqual(['scores']);
});

test.each([
  [['--wat'], 'there is no option --wat; there are --'],
  [['--sample'], /^--sample needs a value$/],
  [['--sample', '-5d'], '--sample needs a value; write --sample=VALUE where it begins with a dash'],
  [['extra'], "unexpected argument 'extra'"],
])('parseArguments refuses %j', (args, message) => {
  const parse = () => parseArguments(args, OPTIONS);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(message);
});

test('parseArguments refuses too few words', () => {
  expect(() => parseArguments([], OPTIONS, { required: ['WHAT'] })).toThrow('WHAT is missing');
});

test.each(['0', '11', '1.5', '1e1', '', ' 5', 'five', '-1'])('integerOption refuses %j', (text) => {
  const read = () => integerOption('--sample', text, { min: 1, max: 10 }, 3);
  expect(read).toThrow(UsageError);
  expect(read).toThrow('--sample must be a whole number from 1 to 10');
});

test('integerOption takes its bounds and the default', () => {
  const bounds = { min: 1, max: 10 };
  expect(integerOption('--sample', '1', bounds, 3)).toBe(1);
  expect(integerOption('--sample', '10', bounds, 3)).toBe(10);
  expect(integerOption('--sample', undefined, bounds, 3)).toBe(3);
  expect(integerOption('--sample', undefined, bounds, null)).toBe(null);
});
