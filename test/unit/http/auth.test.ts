/** Whom a key lets in: at once when it was found, no more when it is gone, and while nobody can tell. */
import { expect, test } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { createAuthenticator, type KnownKey, RECENT_MS } from '../../../src/http/auth.ts';
import { apiKeyHash } from '../../../src/runtime/api-key.ts';
import { waitUntil } from '../../support/wait-until.ts';

const KEY = 'a-key-of-somebody';

function open(recentMs = RECENT_MS) {
  const hash = apiKeyHash(KEY);
  const known = {
    keyHash: hash,
    keyId: 'k',
    client: 'c',
    owner: 'o',
    identity: null,
    roles: new Set(),
  };
  const state = { isThere: true, isAway: false };
  const authenticate = createAuthenticator(async (): Promise<KnownKey | undefined> => {
    if (state.isAway) throw new Failure('unavailable', 'GONE', 'no answer');
    return state.isThere ? (known as KnownKey) : undefined;
  }, recentMs);
  /** Until the lookup that is kept for half a second is over. */
  const untilAway = () =>
    waitUntil(
      () =>
        authenticate(KEY).then(
          () => false,
          () => true,
        ),
      2000,
      'lookups to fail',
    );
  return { state, authenticate, untilAway };
}

test('while keys cannot be looked up, one that was found reads figures and nothing else', async () => {
  const { state, authenticate, untilAway } = open();
  expect(await authenticate(KEY)).toMatchObject({ client: 'c' });
  state.isAway = true;
  await untilAway();
  expect(await authenticate(KEY, 'recent')).toMatchObject({ client: 'c' });
  await expect(authenticate(KEY)).rejects.toThrow('no answer');
  await expect(authenticate('a-key-of-nobody', 'recent')).rejects.toThrow('no answer');
});

test('a key that was revoked before the outage reads nothing', async () => {
  const { state, authenticate, untilAway } = open();
  await authenticate(KEY, 'recent');
  state.isThere = false;
  await waitUntil(async () => (await authenticate(KEY)) === undefined, 1000, 'the revocation');
  state.isAway = true;
  await untilAway();
  await expect(authenticate(KEY, 'recent')).rejects.toThrow('no answer');
});

test('and not for ever', async () => {
  const { state, authenticate, untilAway } = open(1);
  await authenticate(KEY);
  state.isAway = true;
  await untilAway();
  await expect(authenticate(KEY, 'recent')).rejects.toThrow('no answer');
});
