/**
 * Sends due deliveries. Each process leases some rows for each endpoint and sends them with a concurrency of the endpoint's
 * own, so an endpoint that is slow keeps no other one waiting. A process that ends loses its leases after their time, and
 * another one sends what it has not recorded: a receiver may get an event again, under the same id.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { Failure } from '../domain/failure.ts';
import type { Database } from '../store/database/pool.ts';
import {
  type Attempt,
  type LeasedDelivery,
  leaseDue,
  recordAttempts,
  releaseLeases,
} from '../store/webhooks/deliveries.ts';
import { disableDead, noteHealth } from '../store/webhooks/endpoint-health.ts';
import { type Outcome, POST_TIMEOUT_MS, type PostEvent } from './post-event.ts';
import { retryWaitMs } from './schedule.ts';
import type { Seal } from './seal-secret.ts';
import { signEvent } from './sign-event.ts';

/** Requests of one process to one endpoint at a time. */
const CONCURRENCY = 8;
/** Deliveries of one endpoint that a process leases, so that one statement serves several requests. */
const ROOM = 32;
/** Longer than all that is leased takes where every request times out. */
const LEASE_MS = (ROOM / CONCURRENCY + 1) * POST_TIMEOUT_MS;
/** How soon a delivery is seen that another process has made, or that became due. */
const POLL_MS = 500;
const USER_AGENT = 'risk-engine-webhooks/1';

export type Sender = {
  /** Sends until the signal, then waits for the requests under way and gives the rest back. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Looks for due deliveries now. */
  readonly wake: () => void;
};

type SenderParts = {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly post: PostEvent['post'];
  readonly seal: Pick<Seal, 'open'>;
  readonly count: (outcome: 'delivered' | 'retried' | 'dead') => void;
  readonly random: () => number;
  /** Wall clock: the timestamp that is signed. */
  readonly nowMs: () => number;
  readonly leaseMs?: number;
};

type Queue = { readonly limit: LimitFunction; held: number };

export function createSender(parts: SenderParts): Sender {
  const { database, leaseMs = LEASE_MS } = parts;
  const queues = new Map<string, Queue>();
  const running = new Set<Promise<void>>();
  const ended: Attempt[] = [];
  const unsent: LeasedDelivery[] = [];
  let recording: Promise<void> | undefined;
  let waking = new AbortController();
  const wake = () => waking.abort();

  const record = async () => {
    while (ended.length > 0) await storeAttempts(database, ended.splice(0));
  };
  const end = async (attempt: Attempt) => {
    ended.push(attempt);
    parts.count(outcomeOf(attempt));
    // What ends while others are stored is stored together. Where that fails, the lease ends and the event is sent again.
    recording ??= record().finally(() => {
      recording = undefined;
    });
    await recording.catch(() => undefined);
  };
  const start = (delivery: LeasedDelivery, signal: AbortSignal) => {
    const { endpointId } = delivery;
    const leasedMs = performance.now();
    const queue = queues.get(endpointId) ?? { limit: pLimit(CONCURRENCY), held: 0 };
    queues.set(endpointId, queue);
    queue.held += 1;
    const sent = queue.limit(async () => {
      // It may have waited behind slow requests: one that outlasts its lease would be sent twice.
      const isLate = performance.now() - leasedMs > leaseMs - POST_TIMEOUT_MS;
      if (isLate || signal.aborted) unsent.push(delivery);
      else await end(await attempt(parts, delivery));
    });
    const done = sent.finally(() => {
      running.delete(done);
      queue.held -= 1;
      if (queue.held === 0) queues.delete(endpointId);
      if (queue.held === ROOM / 2) wake();
    });
    running.add(done);
    done.catch(() => undefined);
  };
  /** Busy endpoints are filled up once half of their room is free. */
  const rooms = () =>
    new Map([...queues].map(([id, { held }]) => [id, held <= ROOM / 2 ? ROOM - held : 0] as const));
  const fill = async (signal: AbortSignal) => {
    await releaseLeases(database, unsent.splice(0));
    waking = new AbortController();
    const leased = await leaseDue(database, rooms(), ROOM, leaseMs);
    for (const delivery of leased) start(delivery, signal);
  };
  return {
    wake,
    run: async (signal) => {
      try {
        while (!signal.aborted) {
          await fill(signal);
          const either = AbortSignal.any([signal, waking.signal]);
          await sleep(POLL_MS, undefined, { signal: either }).catch(() => undefined);
        }
      } finally {
        if (signal.aborted) {
          await Promise.allSettled(running);
          await releaseLeases(database, unsent.splice(0));
        }
      }
    },
  };
}

async function attempt(
  { post, seal, random, nowMs }: SenderParts,
  delivery: LeasedDelivery,
): Promise<Attempt> {
  const { eventId: id, payload: body, url } = delivery;
  const secrets = openSecrets(seal, delivery);
  if (secrets instanceof Failure) {
    return judge(delivery, { status: null, error: secrets.message, retryAfterMs: null }, random());
  }
  const timestamp = Math.floor(nowMs() / 1000);
  const headers = {
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signEvent(secrets, { id, timestamp, body }),
  };
  return judge(delivery, await post({ url, body, headers }), random());
}

/** Newest first; a Failure where no key opens them. */
function openSecrets(
  { open }: Pick<Seal, 'open'>,
  { endpointId, secret, previousSecret }: LeasedDelivery,
): readonly string[] | Failure {
  const stored = previousSecret === null ? [secret] : [secret, previousSecret];
  try {
    return stored.map((one) => open(one, endpointId));
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

const GONE = 410;

function judge(delivery: LeasedDelivery, outcome: Outcome, random: number): Attempt {
  const { status, error, retryAfterMs } = outcome;
  if (status !== null && status >= 200 && status < 300) {
    return { delivery, state: 'delivered', waitMs: 0, status, error: null };
  }
  const wait = status === GONE ? null : retryWaitMs(delivery.attempts + 1, random, retryAfterMs);
  const state = wait === null ? 'dead' : 'waiting';
  return { delivery, state, waitMs: wait ?? 0, status, error };
}

const outcomeOf = ({ state }: Attempt) => (state === 'waiting' ? 'retried' : state);

/** One statement where everything was delivered to endpoints that work. */
async function storeAttempts(
  database: Pick<Database, 'query' | 'transaction'>,
  attempts: readonly Attempt[],
): Promise<void> {
  const worked = attempts.filter(({ state }) => state === 'delivered');
  const recovered = worked.filter(({ delivery }) => delivery.isFailing);
  if (worked.length === attempts.length && recovered.length === 0) {
    await recordAttempts(database.query, attempts);
    return;
  }
  const working = idsOf(worked);
  const failed = idsOf(attempts).filter((id) => !working.includes(id));
  const gone = idsOf(attempts.filter(({ status }) => status === GONE));
  await database.transaction(async (query) => {
    await recordAttempts(query, attempts);
    await noteHealth(query, idsOf(recovered), failed);
    if (failed.length > 0) await disableDead(query, gone, failed, 'risk worker');
  });
}

const idsOf = (attempts: readonly Attempt[]): string[] => [
  ...new Set(attempts.map(({ delivery }) => delivery.endpointId)),
];
