/** The breaker's transitions with its production settings, under a clock that the test moves. */
import { describe, expect, test } from 'vitest';
import { type BreakerState, createBreaker } from '../../../../src/kit/breakers/breaker.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

const down = new Failure('unavailable', 'DOWN', 'no answer');
const crowded = new Failure('unavailable', 'CROWDED', 'never left here');

function rig() {
  const changes: BreakerState[] = [];
  const causes: unknown[] = [];
  let atMs = 1_000_000;
  const breaker = createBreaker({
    name: 'postgres',
    nowMs: () => atMs,
    isFailure: (thrown) => thrown === down,
    isOwn: (thrown) => thrown === crowded,
    onChange: (state, cause) => {
      changes.push(state);
      if (cause !== undefined) causes.push(cause);
    },
  });
  const fail = () => breaker.run(() => Promise.reject(down)).catch((error: Failure) => error.code);
  const failTimes = async (times: number) => {
    for (let n = 0; n < times; n++) await fail();
  };
  const succeed = () => breaker.run(() => Promise.resolve('fine'));
  const pass = (ms: number) => {
    atMs += ms;
  };
  return { breaker, changes, causes, fail, failTimes, succeed, pass };
}

describe('a breaker', () => {
  test('opens at the fifth failure and refuses without a call', async () => {
    const { breaker, causes, fail, failTimes } = rig();
    await failTimes(4);
    expect(breaker.state()).toBe('closed');
    await failTimes(1);
    expect(breaker.state()).toBe('open');
    expect(causes).toEqual([down]);
    let calls = 0;
    const refused = breaker.run(async () => ++calls);
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable', code: 'BREAKER_OPEN' });
    expect(calls).toBe(0);
    expect(await fail()).toBe('BREAKER_OPEN');
  });

  test('forgets failures that are older than its window, and all of them at a success', async () => {
    const { breaker, failTimes, succeed, pass } = rig();
    await failTimes(4);
    pass(60_000);
    await failTimes(4);
    expect(breaker.state()).toBe('closed');
    await succeed();
    await failTimes(4);
    expect(breaker.state()).toBe('closed');
    pass(50_000);
    await failTimes(1);
    expect(breaker.state()).toBe('open');
  });

  test('an error that is an answer counts as a success', async () => {
    const { breaker, failTimes } = rig();
    await failTimes(4);
    const conflict = new Failure('conflict', 'KEY_CONFLICT', 'known');
    await expect(breaker.run(() => Promise.reject(conflict))).rejects.toBe(conflict);
    await failTimes(4);
    expect(breaker.state()).toBe('closed');
  });

  test('a call that we refuse ourselves tells nothing of the dependency', async () => {
    const { breaker, failTimes, pass } = rig();
    const refuse = () => breaker.run(() => Promise.reject(crowded)).catch(() => undefined);
    void breaker.run(() => new Promise(() => undefined));
    pass(1500);
    await refuse();
    expect(breaker.stalledMs()).toBe(1500);
    await failTimes(4);
    await refuse();
    await failTimes(1);
    expect(breaker.state()).toBe('open');
    expect(breaker.takeTally()).toMatchObject({ calls: 5, failures: 5 });
    pass(30_000);
    for (let n = 0; n < 3; n++) await refuse();
    expect(breaker.state()).toBe('half-open');
    await breaker.probe(() => Promise.reject(crowded));
    expect(breaker.state()).toBe('half-open');
  });

  test('tries one call after 30 s; three successes close it', async () => {
    const { breaker, changes, failTimes, succeed, pass } = rig();
    await failTimes(5);
    pass(29_999);
    await expect(succeed()).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    pass(1);
    const trial = Promise.withResolvers<string>();
    const first = breaker.run(() => trial.promise);
    await expect(succeed()).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    trial.resolve('fine');
    expect(await first).toBe('fine');
    await succeed();
    expect(breaker.state()).toBe('half-open');
    await succeed();
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  test('a trial that fails opens it for another 30 s', async () => {
    const { breaker, failTimes, succeed, pass } = rig();
    await failTimes(5);
    pass(30_000);
    await failTimes(1);
    pass(29_999);
    await expect(succeed()).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    expect(breaker.state()).toBe('open');
  });

  test('probes that succeed close it without waiting', async () => {
    const { breaker, failTimes } = rig();
    await failTimes(5);
    await breaker.probe(() => Promise.reject(down));
    expect(breaker.state()).toBe('open');
    for (let n = 0; n < 3; n++) await breaker.probe(() => Promise.resolve());
    expect(breaker.state()).toBe('closed');
  });

  test('tripped, it ends what is under way, and a late success does not close it', async () => {
    const { breaker, pass } = rig();
    const hung = Promise.withResolvers<string>();
    const call = breaker.run(() => hung.promise);
    expect(breaker.stalledMs()).toBe(0);
    pass(1500);
    expect(breaker.stalledMs()).toBe(1500);
    breaker.trip();
    await expect(call).rejects.toMatchObject({ kind: 'unavailable', code: 'STALLED' });
    hung.resolve('too late');
    await hung.promise;
    expect([breaker.state(), breaker.stalledMs()]).toEqual(['open', 0]);
    expect(breaker.takeTally()).toEqual({ calls: 1, failures: 1, meanMs: 1500 });
    expect(breaker.takeTally()).toEqual({ calls: 0, failures: 0, meanMs: 0 });
  });
});
