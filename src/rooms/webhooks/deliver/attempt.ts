/** An attempt: signs an event with the secrets of its webhook, sends it, and says what becomes of the delivery. */
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { hasFreeze, type Switches, withReleases } from '../../../core/domain/switch.ts';
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
  readonly switches: () => Switches;
};

export function createAttempt({ post, sealKeys, random, nowMs, switches }: AttemptParts) {
  const keysOf = createKeysOf(sealKeys);
  return async (delivery: LeasedDelivery): Promise<Attempt> => {
    const { eventId: id, url } = delivery;
    const body = toBody(delivery.payload, switches());
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

/** An attempt made while a corridor is frozen says so, whenever its event was made. */
function toBody(payload: string, switches: Switches): string {
  if (!hasFreeze(switches)) return payload;
  const event = JSON.parse(payload) as {
    readonly data: { readonly decisions?: readonly Listed[] };
  };
  if (event.data.decisions === undefined) return payload;
  const decisions = event.data.decisions.map((one) => withReleases(switches, one));
  return JSON.stringify({ ...event, data: { ...event.data, decisions } });
}
type Listed = { readonly corridor: string };

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
