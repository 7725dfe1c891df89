/** Goal: progress is one changing line on a terminal, and never mixes with what follows it. */
import { expect, test } from 'vitest';
import { createOutput } from '../../../../src/kit/command/output.ts';

function capture(isTTY: boolean) {
  const written: string[] = [];
  const stream = (name: string) => ({ isTTY, write: (text: string) => written.push(name + text) });
  const output = createOutput({ json: false, stdout: stream('out '), stderr: stream('err ') });
  return { written, output };
}

const CLEAR = 'err \r\u001b[K';

test('on a terminal a line of progress is replaced by the next, and cleared before anything else', () => {
  const { written, output } = capture(true);
  output.progress('1 of 2');
  output.progress('2 of 2');
  output.value({}, ['done']);
  output.note('bye');
  expect(written).toEqual(['err 1 of 2', CLEAR, 'err 2 of 2', CLEAR, 'out done\n', 'err bye\n']);
});

test('elsewhere progress of the first seconds is not worth a line', () => {
  const { written, output } = capture(false);
  output.progress('1 of 2');
  output.value({}, ['done']);
  expect(written).toEqual(['out done\n']);
});
