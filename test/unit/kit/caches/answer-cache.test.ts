/**
 * Goal: an answer is made once however many ask at a time, and again before it is too old; it is served as long as its version
 * was proved to be that of now less than a second before, and never takes more memory than it may. Method: a state that events
 * change, a clock that the test moves.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AnswerCacheOptions,
  createAnswerCache,
  type MadeAnswer,
  PROOF_MS,
  type Version,
} from '../../../../src/kit/caches/answer-cache.ts';

const AGE_MS_MAX = 10_000;

function openRig(own: Partial<AnswerCacheOptions<string>> = {}) {
  const rig = {
    nowMs: 0,
    state: 0,
    made: 0,
    proofs: 0,
    /** The promise that `make` waits for. */
    gate: Promise.resolve(),
    version: (): Version => String(rig.state),
  };
  const cache = createAnswerCache<string>({
    bytesMax: 1_000_000,
    keyOf: (question) => question,
    ageMsMax: () => AGE_MS_MAX,
    make: async (question): Promise<MadeAnswer | undefined> => {
      rig.made += 1;
      const version = rig.version();
      const text = `${question} ${rig.state}`;
      await rig.gate;
      return { text, version, lagMs: undefined };
    },
    readVersion: async () => {
      rig.proofs += 1;
      return rig.version();
    },
    name: () => 'answers',
    metrics: {
      cacheHits: { inc: () => undefined },
      cacheMisses: { inc: () => undefined },
    },
    nowMs: () => rig.nowMs,
    ...own,
  });
  const read = async (question = 'a') => (await cache.read(question))?.answer.text;
  return { rig, cache, read };
}

test('a load that fails fails for all who share it, and is tried again by the next', async () => {
  const fails = { value: true };
  const { read } = openRig({
    make: async () => {
      await Promise.resolve();
      if (fails.value) throw new Error('away');
      return { text: 'again', version: '0', lagMs: undefined };
    },
  });
  const results = await Promise.allSettled([read(), read()]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails.value = false;
  expect(await read()).toBe('again');
});

describe('versions', () => {
  test('an answer that never changes is served until its longest age, without a proof', async () => {
    const { rig, read } = openRig({ readVersion: null });
    await read();
    rig.nowMs = AGE_MS_MAX - 1;
    await read();
    await new Promise((resolve) => setImmediate(resolve));
    expect([rig.made, rig.proofs]).toEqual([2, 0]);
    rig.nowMs = 2 * AGE_MS_MAX;
    await read();
    expect(rig.made).toBe(3);
  });

  test('who has changed something shares no answer that was begun before', async () => {
    const { rig, cache, read } = openRig();
    const gate = Promise.withResolvers<void>();
    rig.gate = gate.promise;
    const early = read();
    rig.state = 1;
    cache.proveAnew();
    const late = Promise.all([read(), read()]);
    gate.resolve();
    expect(await early).toBe('a 0');
    expect(await late).toEqual(['a 1', 'a 1']);
    expect(rig.made).toBe(2);
  });

  test('who has changed something shares no proof that was begun before', async () => {
    const gate = Promise.withResolvers<void>();
    const { rig, cache, read } = openRig({
      readVersion: async () => {
        const version = String(rig.state);
        await gate.promise;
        return version;
      },
    });
    await read();
    rig.nowMs = PROOF_MS;
    const early = read();
    rig.state = 1;
    rig.nowMs += 1;
    cache.proveAnew();
    const late = read();
    gate.resolve();
    expect(await early).toBe('a 0');
    expect(await late).toBe('a 1');
  });

  test('an answer that takes long is shared only by those who asked soon after it was begun', async () => {
    const { rig, read } = openRig();
    const gate = Promise.withResolvers<void>();
    rig.gate = gate.promise;
    const early = read();
    rig.state = 1;
    rig.nowMs = PROOF_MS - 1;
    const soon = read();
    rig.nowMs = PROOF_MS;
    const late = read();
    gate.resolve();
    expect(await Promise.all([early, soon, late])).toEqual(['a 0', 'a 0', 'a 1']);
    expect(rig.made).toBe(2);
  });
});

describe('ages', () => {
  test('an ageing answer is made anew in the background by one of fifty, while all have the old one', async () => {
    const { rig, read } = openRig();
    await read();
    const gate = Promise.withResolvers<void>();
    rig.gate = gate.promise;
    rig.nowMs = AGE_MS_MAX * 0.9;
    const answers = await Promise.all(Array.from({ length: 50 }, () => read()));
    expect(answers).toHaveLength(50);
    expect(rig.made).toBe(2);
    gate.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    rig.nowMs = AGE_MS_MAX * 1.5;
    expect(await read()).toBe('a 0');
    expect(rig.made).toBe(2);
  });

  test('the age counts from when the answer was begun, and includes the lag of a replica', async () => {
    const { rig, cache } = openRig({
      make: async () => ({ text: '{}', version: '0', lagMs: 70 }),
    });
    expect((await cache.read('a'))?.ageMs).toBe(70);
    rig.nowMs = 30;
    expect((await cache.read('a'))?.ageMs).toBe(100);
  });
});

test('answers take no more memory than they may, and one that has no room is given all the same', async () => {
  const bytesMax = 50_000;
  const text = 'x'.repeat(4000);
  const { rig, cache } = openRig({
    bytesMax,
    make: async (question) => {
      rig.made += 1;
      const own = question === 'large' ? 'x'.repeat(bytesMax) : text;
      return { text: own, version: '0', lagMs: undefined };
    },
  });
  for (let n = 0; n < 100; n++) await cache.read(`question ${n}`);
  expect(rig.made).toBe(100);
  for (let n = 99; n >= 0; n--) await cache.read(`question ${n}`);
  const kept = 200 - rig.made;
  expect(kept).toBeGreaterThan(5);
  expect(kept * text.length).toBeLessThan(bytesMax);
  expect((await cache.read('large'))?.answer.text).toHaveLength(bytesMax);
});

test('whatever happens in whatever order, an answer is one of the time since its last proof', async () => {
  const step = fc.record({
    kind: fc.constantFrom('event', 'read', 'read', 'lost'),
    question: fc.constantFrom('a', 'b'),
    ms: fc.nat({ max: 2 * PROOF_MS }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { rig, read } = openRig();
      let isLost = false;
      rig.version = () => (isLost ? undefined : String(rig.state));
      /** The state after each event, with its time. */
      const states = [{ atMs: 0, state: 0 }];
      for (const { kind, question, ms } of steps) {
        rig.nowMs += ms;
        if (kind === 'event') states.push({ atMs: rig.nowMs, state: ++rig.state });
        if (kind === 'lost') isLost = !isLost;
        if (kind !== 'read') continue;
        const state = Number((await read(question))?.split(' ')[1]);
        const endedMs = states[state + 1]?.atMs ?? Number.POSITIVE_INFINITY;
        expect(rig.nowMs - endedMs).toBeLessThan(PROOF_MS);
      }
    }),
    { numRuns: 300 },
  );
});
