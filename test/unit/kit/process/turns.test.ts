/** Calls one after the other, of which some pass others. */
import { expect, test } from 'vitest';
import { openTurns } from '../../../../src/kit/process/turns.ts';

test('an urgent call passes those that wait, and waits for the one that runs', async () => {
  const { inTurn, urgently } = openTurns();
  const ended: string[] = [];
  let running = 0;
  const call = (name: string) => async () => {
    running += 1;
    expect(running).toBe(1);
    await new Promise(setImmediate);
    running -= 1;
    ended.push(name);
  };
  await Promise.all([
    inTurn(call('first')),
    inTurn(call('second')),
    inTurn(call('third')),
    urgently(call('urgent')),
  ]);
  expect(ended).toEqual(['first', 'urgent', 'second', 'third']);
});

test('a call that throws gives its turn to the next one', async () => {
  const { inTurn, urgently } = openTurns();
  const failed = inTurn(() => Promise.reject(new Error('refused')));
  const next = urgently(() => Promise.resolve('next'));
  await expect(failed).rejects.toThrow('refused');
  expect(await next).toBe('next');
  expect(await inTurn(() => Promise.resolve('free'))).toBe('free');
});
