/** The commits of corridors under a clock that the test moves: which one is slow, held up, or commits apart. */
import { expect, test } from 'vitest';
import { type BreakerState, createBreaker } from '../../../../src/kit/breakers/breaker.ts';
import {
  CORRIDOR_BUSY,
  CORRIDOR_STUCK,
  createCorridorWrites,
} from '../../../../src/kit/breakers/corridor-writes.ts';
import { HELD_LOOKS } from '../../../../src/kit/breakers/degradation.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

const late = new Failure('unavailable', 'LATE', 'a lock did not come');
const other = new Failure('permanent', 'OTHER', 'a bad row');
const [A, B] = [new Set(['A']), new Set(['B'])];
const BOTH = new Set(['A', 'B']);
const SECOND_MS = 1000;

/** @param waitMs for a session; long, unless it is the subject of the test */
function rig(waitMs = 60_000) {
  let atMs = 1_000_000;
  const nowMs = () => atMs;
  const never = () => false;
  const own = { nowMs, onChange: () => undefined };
  const postgres = createBreaker({ ...own, name: 'postgres', isFailure: never, isOwn: never });
  const writes = createCorridorWrites(
    (name, note) =>
      createBreaker({
        ...{ name, nowMs, isFailure: (thrown) => thrown === late, isOwn: (one) => one !== late },
        onChange: (_: BreakerState) => note(),
      }),
    postgres,
    { connectionsMax: 10, waitMs },
    nowMs,
  );
  /** Begins a commit that takes until it is ended, by an error or not. */
  const begin = (corridors: ReadonlySet<string>) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const answer = writes
      .guardOf(corridors)(() => promise)
      .then(
        () => 'stored',
        (error: Failure) => error.code,
      );
    const end = async (error?: Failure) => {
      if (error === undefined) resolve();
      else reject(error);
      return await answer;
    };
    return { end, answer };
  };
  const pass = (ms: number) => {
    atMs += ms;
  };
  const look = () => {
    const looks = writes.look();
    return [...['A', 'B'].map(writes.levelOf), looks.length];
  };
  return { begin, look, pass, postgres, writes };
}

/** A look of which all commits of A took so long, and those of B no time. */
async function lookAfter({ begin, pass, look }: ReturnType<typeof rig>, tookMs: number) {
  const slow = begin(A);
  pass(tookMs);
  await slow.end();
  await begin(B).end();
  return look();
}

test('slow commits of a corridor raise its level after two looks, and eight better looks end it', async () => {
  const rigged = rig();
  expect(await lookAfter(rigged, 501)).toEqual([0, 0, 0]);
  expect(await lookAfter(rigged, 501)).toEqual([1, 0, 0]);
  await lookAfter(rigged, 1001);
  expect(await lookAfter(rigged, 1001)).toEqual([2, 0, 0]);
  for (let n = 0; n < HELD_LOOKS - 1; n++) expect((await lookAfter(rigged, 0))[0]).toBe(2);
  expect(await lookAfter(rigged, 0)).toEqual([0, 0, 0]);
  // Postgres as a whole has measured none of these commits.
  expect(rigged.postgres.takeTally().calls).toBe(0);
});

test('a tenth of failed commits, of ten at least, raises the level to 2; other failures do not count', async () => {
  const { begin, look } = rig();
  const commits = async (error: Failure) => {
    for (let n = 0; n < 8; n++) await begin(A).end();
    await begin(A).end(error);
    await begin(A).end(error);
    return look().slice(0, 2);
  };
  await commits(other);
  expect(await commits(other)).toEqual([0, 0]);
  await commits(late);
  expect(await commits(late)).toEqual([2, 0]);
});

test('a slow commit of several corridors blames none of them, and Postgres measures it', async () => {
  const { begin, look, pass, postgres } = rig();
  for (let n = 0; n < 2; n++) {
    const mixed = begin(BOTH);
    pass(1001);
    await mixed.end();
    expect(look()).toEqual([0, 0, 0]);
  }
  expect(postgres.takeTally()).toMatchObject({ calls: 2, meanMs: 1001 });
});

test('what is slow counts for Postgres as a whole where no other corridor is quick', async () => {
  const { begin, look, pass } = rig();
  // The corridor itself was quick a moment ago, which says nothing.
  await begin(A).end();
  look();
  const stuck = begin(A);
  pass(1001);
  expect(look()).toEqual([0, 0, 1]);
  expect(look()).toEqual([2, 0, 1]);
  await begin(B).end();
  expect(look()).toEqual([2, 0, 0]);
  pass(10_001);
  expect(look()).toEqual([2, 0, 1]);
  expect(await stuck.end()).toBe('stored');
});

test('commits of which none ends for 3 s are ended while others are quick; one at a time tries again', async () => {
  const { begin, look, pass, writes } = rig();
  await begin(B).end();
  look();
  const [stuck, mixed] = [begin(A), begin(BOTH)];
  pass(3 * SECOND_MS + 1);
  // Nobody else has committed since, so nothing says that the corridor is to blame.
  writes.refuseStuck();
  expect(writes.refusedMs('A')).toBe(0);
  await begin(B).end();
  look();
  writes.refuseStuck();
  expect(['A', 'B'].map(writes.levelOf)).toEqual([3, 0]);
  // The commit that both share ends with it, so that the caller tries each corridor alone.
  expect(await Promise.all([stuck.answer, mixed.answer])).toEqual(['STALLED', 'STALLED']);
  expect([writes.refusedMs('A') > 0, writes.refusedMs('B')]).toEqual([true, 0]);
  expect(await begin(A).answer).toBe('BREAKER_OPEN');
  expect(await begin(B).end()).toBe('stored');
  pass(30 * SECOND_MS);
  expect(writes.refusedMs('A')).toBe(0);
  const trial = begin(A);
  expect(writes.refusedMs('A')).toBe(SECOND_MS);
  expect(await begin(BOTH).answer).toBe('BREAKER_OPEN');
  expect(await trial.end()).toBe('stored');
  for (let n = 0; n < 2; n++) expect(await begin(BOTH).end()).toBe('stored');
  expect(look().slice(0, 2)).toEqual([3, 0]);
  for (let n = 1; n < HELD_LOOKS; n++) look();
  expect(look().slice(0, 2)).toEqual([0, 0]);
});

test('corridors of a slow commit commit apart for half a minute', async () => {
  const { begin, pass, writes } = rig();
  const mixed = begin(BOTH);
  expect(writes.apartOf(BOTH)).toBeUndefined();
  pass(251);
  expect([writes.apartOf(A), writes.apartOf(B)]).toEqual(['A', 'B']);
  expect(writes.apartOf(new Set(['C']))).toBeUndefined();
  await mixed.end();
  pass(29 * SECOND_MS);
  expect(writes.apartOf(A)).toBe('A');
  pass(SECOND_MS);
  expect(writes.apartOf(A)).toBeUndefined();
});

test('commits of a corridor, and those of several, take a third of the pool each; the next one is refused in time', async () => {
  const { begin, look } = rig(1);
  const held = [A, A, A, BOTH, BOTH, BOTH].map(begin);
  expect(await begin(A).answer).toBe(CORRIDOR_BUSY);
  // Posts of the shared commit are tried alone by this code.
  expect(await begin(BOTH).answer).toBe(CORRIDOR_STUCK);
  expect(await begin(B).end()).toBe('stored');
  for (const one of held) expect(await one.end()).toBe('stored');
  expect(await begin(A).end()).toBe('stored');
  // A refusal of this process says nothing about Postgres.
  expect(look()).toEqual([0, 0, 0]);
});
