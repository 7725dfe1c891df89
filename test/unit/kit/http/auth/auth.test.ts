/**
 * Goal: a known key is let in at once, a revoked one is not, and an outage keeps only recent keys; unknown keys cost a bounded
 * number of lookups.
 */
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { apiKeyHash } from '../../../../../src/kit/access/api-key.ts';
import { Problem } from '../../../../../src/kit/http/answers/problem.ts';
import { createAddressOf } from '../../../../../src/kit/http/auth/address.ts';
import {
  createAuthenticator,
  type KnownKey,
  RECENT_MS,
  type Trust,
} from '../../../../../src/kit/http/auth/auth.ts';
import {
  BURST_SECONDS,
  createStrangers,
  WAITING_PER_LOOKUP,
} from '../../../../../src/kit/http/auth/strangers.ts';
import { besideAbsentPrimary } from '../../../../../src/kit/process/primary-away.ts';
import { Failure } from '../../../../../src/kit/words/failure.ts';

const KEY = 'a-key-of-somebody';

/** How long a lookup is cached. */
const BELIEVED_MS = 500;
const keyOf = (name: string, keyHash: Uint8Array): KnownKey => ({
  ...{ keyHash, keyId: name, client: 'c', owner: 'o', identity: null },
  roles: new Set(),
});
const addressOf = createAddressOf('');
const requestFrom = (remoteAddress: string) =>
  ({ socket: { remoteAddress }, headers: {} }) as unknown as IncomingMessage;

/** A clock that stands still unless it is moved. */
function open() {
  const state = { isThere: true, isStored: false, isAway: false, nowMs: 0 };
  const nowMs = () => state.nowMs;
  const { authenticate } = createAuthenticator({
    has: async () => state.isStored,
    find: async (keyHash) => {
      if (state.isAway) throw new Failure('unavailable', 'GONE', 'no answer');
      return state.isThere && keyHash.equals(apiKeyHash(KEY)) ? keyOf('k', keyHash) : undefined;
    },
    ...{ nowMs, addressOf, strangers: createStrangers(1000, nowMs) },
  });
  const ask = (key: string, trust: Trust = 'fresh') =>
    authenticate({ kind: 'key', token: key }, undefined, trust);
  return { state, ask };
}

test('while keys cannot be looked up, one that was found reads figures and nothing else', async () => {
  const { state, ask } = open();
  expect(await ask(KEY)).toMatchObject({ client: 'c' });
  state.isAway = true;
  expect(await ask(KEY)).toMatchObject({ client: 'c' });
  state.nowMs += BELIEVED_MS;
  expect(await ask(KEY, 'recent')).toMatchObject({ client: 'c' });
  await expect(ask(KEY)).rejects.toThrow('no answer');
  await expect(ask('a-key-of-nobody', 'recent')).rejects.toThrow('no answer');
});

test('a key that was revoked before the outage reads nothing', async () => {
  const { state, ask } = open();
  await ask(KEY, 'recent');
  state.isThere = false;
  state.nowMs += BELIEVED_MS;
  expect(await ask(KEY)).toBeUndefined();
  state.isAway = true;
  expect(await ask(KEY, 'recent')).toBeUndefined();
  state.nowMs += BELIEVED_MS;
  await expect(ask(KEY, 'recent')).rejects.toThrow('no answer');
});

test('and not for ever', async () => {
  const { state, ask } = open();
  await ask(KEY);
  state.isAway = true;
  state.nowMs += RECENT_MS - 1;
  expect(await ask(KEY, 'recent')).toMatchObject({ client: 'c' });
  state.nowMs += 1;
  await expect(ask(KEY, 'recent')).rejects.toThrow('no answer');
});

describe('beside an absent primary, with a replica that stands in,', () => {
  const beside = <T>(work: () => Promise<T>) => besideAbsentPrimary(0, work);

  test('a key counts that the primary had in force within 15 minutes, if the replica does not have it yet', async () => {
    const { state, ask } = open();
    await ask(KEY);
    Object.assign(state, { isThere: false, nowMs: RECENT_MS - 1 });
    expect(await beside(() => ask(KEY))).toMatchObject({ client: 'c' });
    expect(await beside(() => ask('a-key-of-nobody'))).toBeUndefined();
    // A lookup in the replica does not lengthen the 15 minutes.
    state.nowMs += BELIEVED_MS;
    expect(await beside(() => ask(KEY))).toBeUndefined();
  });

  test('a key that the replica has is in force there, or refused', async () => {
    const { state, ask } = open();
    expect(await beside(() => ask(KEY))).toMatchObject({ client: 'c' });
    Object.assign(state, { isThere: false, isStored: true, nowMs: BELIEVED_MS });
    expect(await beside(() => ask(KEY))).toBeUndefined();
    const other = open();
    await other.ask(KEY);
    Object.assign(other.state, { isThere: false, isStored: true, nowMs: BELIEVED_MS });
    expect(await beside(() => other.ask(KEY))).toBeUndefined();
  });

  test('a key that the primary refused stays refused, whatever the replica has, until the primary has it', async () => {
    const { state, ask } = open();
    state.isThere = false;
    expect(await ask(KEY)).toBeUndefined();
    Object.assign(state, { isThere: true, nowMs: BELIEVED_MS });
    expect(await beside(() => ask(KEY))).toBeUndefined();
    state.nowMs += BELIEVED_MS;
    expect(await ask(KEY)).toMatchObject({ client: 'c' });
    expect(await beside(() => ask(KEY))).toMatchObject({ client: 'c' });
  });

  test('a key that only the replica had counts for no write, nor without the replica', async () => {
    const { state, ask } = open();
    await beside(() => ask(KEY));
    state.isAway = true;
    await expect(ask(KEY)).rejects.toThrow('no answer');
    state.nowMs += BELIEVED_MS;
    await expect(beside(() => ask(KEY, 'recent'))).rejects.toThrow('no answer');
  });
});

describe('keys that nobody knows', () => {
  const PER_SECOND = 1;
  const AT_ONCE = PER_SECOND * BURST_SECONDS;

  /** Counts what is looked up. */
  function openCounted(live: readonly string[], allPerSecond?: number, perSecond = PER_SECOND) {
    const known = new Map(live.map((key) => [apiKeyHash(key).toString('hex'), key]));
    const state = { lookups: 0, nowMs: 0, isAway: false, gate: Promise.resolve() };
    const nowMs = () => state.nowMs;
    const { authenticate, turnAway } = createAuthenticator({
      has: async () => false,
      find: async (keyHash) => {
        state.lookups += 1;
        await state.gate;
        if (state.isAway) throw new Failure('unavailable', 'GONE', 'no answer');
        const name = known.get(keyHash.toString('hex'));
        return name === undefined ? undefined : keyOf(name, keyHash);
      },
      ...{ nowMs, addressOf, strangers: createStrangers(perSecond, nowMs, allPerSecond) },
    });
    const from = (address: string) => (key: string) =>
      authenticate({ kind: 'key', token: key }, requestFrom(address), 'fresh').then(
        (found) => found?.keyId ?? 401,
        (error: unknown) => (error instanceof Problem ? error.problem : String(error)),
      );
    const make = (key: string) => known.set(apiKeyHash(key).toString('hex'), key);
    /** The answer in front of the application; undefined lets the request in. */
    const atFront = (key: string, address: string) => {
      const request = requestFrom(address);
      request.headers.authorization = `Bearer ${key}`;
      return turnAway(request)?.problem;
    };
    /** Lookups end once the returned function is called. */
    const hold = () => {
      let release = () => {};
      state.gate = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    };
    return { state, from, turnAway, atFront, make, hold };
  }
  const [A, B] = ['192.0.2.1', '192.0.2.2'] as const;
  const nth = (n: number) => `10.0.${n >> 8}.${n & 255}`;
  const REFUSED = 'too-many-unknown-keys';
  const random = (count: number) => Array.from({ length: count }, (_, n) => `nobody-${n}`);

  test('are turned away before they are looked up, after a few from one address', async () => {
    const { state, from } = openCounted([]);
    const keys = random(1000);
    for (const key of keys.slice(0, AT_ONCE)) expect(await from(A)(key)).toBe(401);
    for (const key of keys.slice(AT_ONCE)) expect(await from(A)(key)).toBe(REFUSED);
    expect(state.lookups).toBe(AT_ONCE);
    expect(await from(B)('nobody')).toBe(401);
    state.nowMs += 1000 / PER_SECOND;
    expect([await from(A)('nobody'), await from(A)('nobody-else')]).toEqual([401, REFUSED]);
  });

  test('are turned away before the application, and nobody else is', async () => {
    const { state, from, turnAway, atFront: ask } = openCounted(['good', 'new']);
    expect(await from(A)('good')).toBe('good');
    for (const key of random(AT_ONCE)) {
      expect(ask(key, A)).toBeUndefined();
      await from(A)(key);
    }
    // Before the first refusal no request is checked in front of the application.
    expect(ask('nobody', A)).toBeUndefined();
    expect(await from(A)('nobody')).toBe(REFUSED);
    const { lookups } = state;
    expect(['nobody', 'good', 'new'].map((key) => ask(key, A))).toEqual([
      REFUSED,
      undefined,
      REFUSED,
    ]);
    expect(ask('nobody', B)).toBeUndefined();
    expect(turnAway(requestFrom(A))).toBeUndefined();
    expect(state.lookups).toBe(lookups);
    state.nowMs += 1000 / PER_SECOND;
    expect(ask('new', A)).toBeUndefined();
    expect(await from(A)('new')).toBe('new');
  });

  test('never evict a known key, whatever their address', async () => {
    const { state, from } = openCounted(['good'], 1_000_000);
    expect(await from(A)('good')).toBe('good');
    await Promise.all(random(12_000).map((key, n) => from(nth(n))(key)));
    const { lookups } = state;
    expect(await from(A)('good')).toBe('good');
    expect(state.lookups).toBe(lookups);
  });

  test('may wait for a lookup by a bounded number, from their own address alone', async () => {
    const { state, from, hold } = openCounted(['good']);
    const release = hold();
    const refused: unknown[] = [];
    const waiting = random(1000).map(async (key) => {
      if ((await from(A)(key)) === REFUSED) refused.push(key);
    });
    const fromB = from(B)('good');
    await setImmediate();
    expect(refused).toHaveLength(1000 - AT_ONCE - WAITING_PER_LOOKUP * AT_ONCE);
    release();
    await Promise.all(waiting);
    expect(refused).toHaveLength(1000 - AT_ONCE);
    expect(state.lookups).toBe(AT_ONCE + 1);
    expect(await fromB).toBe('good');
    // Nothing is left behind that would let others wait, or refuse them.
    expect(await from(A)('nobody')).toBe(REFUSED);
    state.nowMs += 1000 / PER_SECOND;
    expect(await from(A)('good')).toBe('good');
  });

  test('cost one lookup for half a second, whoever repeats them, and leave the budget to new keys', async () => {
    const { state, from } = openCounted(['new']);
    for (let n = 0; n < 500; n += 1) expect(await from(A)('dead')).toBe(401);
    expect(new Set(await Promise.all(Array(500).fill('dead').map(from(A))))).toEqual(
      new Set([401]),
    );
    expect(state.lookups).toBe(1);
    expect(await from(A)('new')).toBe('new');
  });

  test('are looked up again after half a second, as somebody may have made the key', async () => {
    const { state, from, make } = openCounted([]);
    expect(await from(A)('later')).toBe(401);
    make('later');
    state.nowMs += BELIEVED_MS - 1;
    expect(await from(A)('later')).toBe(401);
    state.nowMs += 1;
    expect(await from(A)('later')).toBe('later');
  });

  test('cost no budget while lookups fail', async () => {
    const { state, from } = openCounted(['good']);
    state.isAway = true;
    for (const key of random(AT_ONCE + 5)) expect(await from(A)(key)).toContain('no answer');
    state.isAway = false;
    expect(await from(A)('good')).toBe('good');
  });

  test('are bounded over all addresses together', async () => {
    const { state, from } = openCounted(['good'], 2);
    expect(await from(A)('good')).toBe('good');
    const answers = await Promise.all(random(1000).map((key, n) => from(nth(n))(key)));
    expect(answers.filter((answer) => answer === 401)).toHaveLength(2 * BURST_SECONDS);
    expect(state.lookups).toBe(1 + 2 * BURST_SECONDS);
    expect(await from(A)('good')).toBe('good');
  });
});
