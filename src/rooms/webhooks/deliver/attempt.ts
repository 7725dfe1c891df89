/** One attempt: signs an event with the secrets of its webhook, sends it, and says what becomes of the delivery. */
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Failure } from '../../../kit/words/failure.ts';
import type { Attempt, LeasedDelivery } from '../store/due.ts';
import { WEBHOOK_LIMITS } from '../webhook.ts';
import type { Outcome, PostEvent } from './post-event.ts';
import { retryWaitMs } from './schedule.ts';
import { openSecret, type SealKeys, signEvent, toKey } from './secret.ts';

const USER_AGENT = 'risk-engine-webhooks/1';
/** The receiver takes no events any more. */
export const GONE = 410;

export type AttemptParts = {
  readonly post: PostEvent['post'];
  readonly sealKeys: SealKeys;
  readonly random: () => number;
  /** Wall clock: the timestamp that is signed. */
  readonly nowMs: () => number;
};

export function createAttempt({ post, sealKeys, random, nowMs }: AttemptParts) {
  const keysOf = createKeysOf(sealKeys);
  return async (delivery: LeasedDelivery): Promise<Attempt> => {
    const { eventId: id, payload: body, url } = delivery;
    const keys = keysOf(delivery);
    if (keys instanceof Failure) {
      return judge(delivery, { status: null, error: keys.message, retryAfterMs: null }, random());
    }
    const timestamp = Math.floor(nowMs() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signEvent(keys, { id, timestamp, body }),
    };
    return judge(delivery, await post({ url, body, headers }), random());
  };
}

type KeysOf = (delivery: LeasedDelivery) => readonly KeyObject[] | Failure;

/** Opens the secrets of a delivery, the newest first; a Failure where no key opens them. */
function createKeysOf(sealKeys: SealKeys): KeysOf {
  /** Each webhook has two keys at most. */
  const keys = new LRUCache<string, KeyObject>({ max: 2 * WEBHOOK_LIMITS.webhooks });
  return ({ webhookId, secret, previousSecret }) => {
    const stored = previousSecret === null ? [secret] : [secret, previousSecret];
    try {
      return stored.map((one) => {
        const name = `${webhookId} ${one}`;
        const key = keys.get(name) ?? toKey(openSecret(sealKeys, one, webhookId));
        keys.set(name, key);
        return key;
      });
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  };
}

function judge(delivery: LeasedDelivery, outcome: Outcome, random: number): Attempt {
  const { status, error, retryAfterMs } = outcome;
  if (status !== null && status >= 200 && status < 300) {
    return { delivery, state: 'delivered', waitMs: 0, status, error: null };
  }
  const wait = status === GONE ? null : retryWaitMs(delivery.attempts + 1, random, retryAfterMs);
  const state = wait === null ? 'dead' : 'waiting';
  return { delivery, state, waitMs: wait ?? 0, status, error };
}
