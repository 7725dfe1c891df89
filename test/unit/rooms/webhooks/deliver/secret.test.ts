/** Goal: a secret is stored sealed, and the documented signature is what a sender makes of it. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Failure } from '../../../../../src/kit/words/failure.ts';
import {
  makeSecret,
  openSecret,
  sealSecret,
  signEvent,
  toKey,
} from '../../../../../src/rooms/webhooks/deliver/secret.ts';

test('a sealed secret opens with any of the keys, in its own row alone', () => {
  const [older, newer] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const secret = makeSecret();
  const sealed = sealSecret([older], secret, 'webhook-1');
  expect(sealed).not.toContain(secret.slice('whsec_'.length));
  expect(openSecret([newer, older], sealed, 'webhook-1')).toBe(secret);
  expect(() => openSecret([newer], sealed, 'webhook-1')).toThrow(Failure);
  expect(() => openSecret([older], sealed, 'webhook-2')).toThrow(Failure);
  const plain = sealSecret([], secret, 'webhook-1');
  expect([plain, openSecret([older], plain, 'webhook-1')]).toEqual([secret, secret]);
});

test('the event in docs/webhooks.md has the signature in docs/webhooks.md', async () => {
  const page = await readFile(new URL('../../../../../docs/webhooks.md', import.meta.url), 'utf8');
  const vector =
    /webhook-timestamp: (\d+)`, secret `(whsec_\S+)`, id\s`([^`]+)`\):\s+```\n(.+)\n(.+)\n```/.exec(
      page,
    );
  const [, at, secret = '', id = '', sent = '', signature] = vector ?? [];
  expect(id).toMatch(/^test_[0-9a-f-]{36}$/);
  expect(signEvent([toKey(secret)], { id, timestamp: Number(at), body: sent })).toBe(signature);
});
