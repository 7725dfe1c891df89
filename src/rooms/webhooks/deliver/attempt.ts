/** An attempt: signs an event with the secrets of its webhook, sends it, and says what becomes of the delivery. */
import type { KeyObject } from 'node:crypto';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { LRUCache } from 'lru-cache';
import { type Controls, hasFreeze, withReleases } from '../../../core/domain/control.ts';
import { shortText } from '../../../kit/words/describe-issue.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { HOUR_MS, MINUTE_MS } from '../../../kit/words/range.ts';
import type { Attempt, LeasedDelivery } from '../store/webhooks.ts';
import { WEBHOOK_LIMITS } from '../webhook.ts';
import { openSecret, type SealKeys, signEvent, toKey } from './secret.ts';
import type { Targets } from './target.ts';

const USER_AGENT = 'risk-engine-webhooks/1';
/** The receiver takes no events any more. */
export const GONE = 410;

export type AttemptParts = {
  readonly post: PostEvent['post'];
  readonly sealKeys: SealKeys;
  readonly random: () => number;
  /** Wall clock: the timestamp that is signed. */
  readonly nowMs: () => number;
  readonly controls: () => Controls;
};

const SECOND_MS = 1000;

/** Waits after each failed attempt; the first attempt is made at once, and there are ten. */
const RETRY_WAITS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** A wait is up to this share longer, so that deliveries that failed together are not sent together again. */
export const JITTER = 0.1;
/** Longest wait that the Retry-After of a receiver may ask for. */
export const RETRY_AFTER_MS_MAX = 24 * HOUR_MS;

type Post = {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

type Outcome = {
  /** Null where no answer came. */
  readonly status: number | null;
  /** Cause of a failure; null where an answer came. */
  readonly error: string | null;
  readonly retryAfterMs: number | null;
};

type PostEvent = Disposable & { readonly post: (post: Post) => Promise<Outcome> };

/** From the beginning of the connection to the end of the answer. */
export const POST_TIMEOUT_MS = 15_000;
/** The rest of a longer answer is not read, and its connection ends. */
const ANSWER_BYTES_MAX = 64 * 1024;
const IDLE_CONNECTION_MS = 5000;
const ERROR_CHARS_MAX = 200;

export function createAttempt({ post, sealKeys, random, nowMs, controls }: AttemptParts) {
  const keysOf = createKeysOf(sealKeys);
  return async (delivery: LeasedDelivery): Promise<Attempt> => {
    const { eventId: id, url } = delivery;
    const body = toBody(delivery.payload, controls());
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
function toBody(payload: string, controls: Controls): string {
  if (!hasFreeze(controls)) return payload;
  const event = JSON.parse(payload) as {
    readonly data: { readonly decisions?: readonly Listed[] };
  };
  if (event.data.decisions === undefined) return payload;
  const decisions = event.data.decisions.map((decision) => withReleases(controls, decision));
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
      return stored.map((delivery) => {
        const name = `${webhookId} ${delivery}`;
        const key = keys.get(name) ?? toKey(openSecret(sealKeys, delivery, webhookId));
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

/**
 * When a delivery that failed is tried again: the schedule that Standard Webhooks proposes.
 * @param attempts those made, at least 1
 * @param random from 0 to 1
 * @returns the wait before the next attempt; null after the last one
 */
export function retryWaitMs(
  attempts: number,
  random: number,
  retryAfterMs: number | null,
): number | null {
  const wait = RETRY_WAITS_MS[attempts - 1];
  if (wait === undefined) return null;
  return Math.max(wait * (1 + JITTER * random), Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
}

/** Sends one event: a POST that follows no redirect, ends in time and drops the body of the answer. */
export function createPostEvent(
  targets: Pick<Targets, 'lookup' | 'refuseAddress'>,
  timeoutMs: number = POST_TIMEOUT_MS,
): PostEvent {
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS, lookup: targets.lookup };
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  const send = ({ url: text, body, headers }: Post, isAgain: boolean): Promise<Outcome> => {
    const url = new URL(text);
    targets.refuseAddress(url);
    const isPlain = url.protocol === 'http:';
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const request = (isPlain ? http : https).request(url, {
      method: 'POST',
      agent: agents[isPlain ? 'http:' : 'https:'],
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    const timer = setTimeout(() => {
      request.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    let answer: Outcome | undefined;
    let isStale = false;
    request.on('response', (response) => {
      answer = outcomeOf(response);
      discard(response);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The receiver closed an idle connection just as the event was sent.
      isStale = request.reusedSocket && error.code === 'ECONNRESET' && !isAgain;
      if (isStale) send({ url: text, body, headers }, true).then(resolve, reject);
      else if (answer === undefined) reject(error);
    });
    request.on('close', () => {
      clearTimeout(timer);
      if (answer !== undefined) resolve(answer);
      else if (!isStale) reject(new Error('the connection closed without an answer'));
    });
    request.end(body);
    return promise;
  };
  return {
    post: async (post) => {
      try {
        return await send(post, false);
      } catch (thrown) {
        return { status: null, error: describe(toError(thrown)), retryAfterMs: null };
      }
    },
    [Symbol.dispose]: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
  // The status alone counts, and it has come.
  response.on('error', () => undefined);
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): Outcome {
  const isBusy = statusCode === 429 || statusCode === 503;
  const retryAfterMs = isBusy ? readRetryAfter(headers['retry-after']) : null;
  return { status: statusCode, error: null, retryAfterMs };
}

/** Seconds, or a date by this machine's clock. */
function readRetryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : null;
}

function describe(error: NodeJS.ErrnoException): string {
  const isKnown = error instanceof Failure || error.code === undefined;
  return shortText(isKnown ? error.message : `${error.code}: ${error.message}`, ERROR_CHARS_MAX);
}
