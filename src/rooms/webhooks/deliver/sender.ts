/**
 * Sends due deliveries. A process leases some rows of each webhook and sends them with a concurrency of the webhook's own, so a
 * slow webhook delays no other. Leases of a process that ended expire, so a receiver may get an event again, under its id.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { offOf } from '../../../core/domain/control.ts';
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import {
  type Attempt,
  disableDead,
  type LeasedDelivery,
  leaseDue,
  noteHealth,
  recordAttempts,
  releaseLeases,
} from '../store/webhooks.ts';
import { WEBHOOK_LIMITS } from '../webhook.ts';
import { type AttemptParts, createAttempt, GONE, POST_TIMEOUT_MS } from './attempt.ts';

/** Requests of one process to one webhook at a time; with more, a slow receiver gets more at once. */
const CONCURRENCY = 8;
/** Deliveries of one webhook that a process leases and has in memory (1 MiB), so that one statement serves several requests. */
const ROOM = 2 * CONCURRENCY;
/** Five rounds of requests that time out; deliveries that are left by then are given back. */
const LEASE_MS = 5 * POST_TIMEOUT_MS;
/** A statement stores the attempts of this time; if the process ends meanwhile, these attempts are made again. */
const RECORD_AFTER_MS = 50;
/** How soon a delivery is seen that another process has made, or that became due. */
const POLL_MS = 500;

type SenderParts = AttemptParts & {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly count: (outcome: 'delivered' | 'retried' | 'dead') => void;
  readonly leaseMs?: number;
};

/** Deliveries that a process has leased for one webhook. */
type Queue = { readonly limit: LimitFunction; leased: number };

export function createSender(parts: SenderParts) {
  const { database, controls, leaseMs = LEASE_MS } = parts;
  /** Deliveries that are leased by then are given back. */
  const isPaused = () => offOf(controls(), 'webhooks') !== undefined;
  const attempt = createAttempt(parts);
  const queues = new Map<string, Queue>();
  const running = new Set<Promise<void>>();
  const ended: Attempt[] = [];
  const unsent: LeasedDelivery[] = [];
  let recording: Promise<void> | undefined;
  let awake = Promise.withResolvers<void>();
  const wake = () => awake.resolve();

  const record = async () => {
    await sleep(RECORD_AFTER_MS);
    recording = undefined;
    await storeAttempts(database, ended.splice(0));
  };
  const end = async (attempt: Attempt) => {
    ended.push(attempt);
    parts.count(outcomeOf(attempt));
    recording ??= record();
    // If this fails, the lease expires and the event is sent again.
    await recording.catch(() => undefined);
  };
  const start = (delivery: LeasedDelivery, signal: AbortSignal) => {
    const { webhookId } = delivery;
    const leasedMs = performance.now();
    const queue = queues.get(webhookId) ?? { limit: pLimit(CONCURRENCY), leased: 0 };
    queues.set(webhookId, queue);
    queue.leased += 1;
    const send = async (): Promise<Attempt | undefined> => {
      // A delivery that waited behind slow requests and outlasts its lease would be sent twice.
      const isLate = performance.now() - leasedMs > leaseMs - POST_TIMEOUT_MS;
      return isLate || signal.aborted || isPaused() ? undefined : await attempt(delivery);
    };
    const finish = async () => {
      const ended = await queue.limit(send);
      if (ended === undefined) unsent.push(delivery);
      else await end(ended);
    };
    const done = finish().finally(() => {
      running.delete(done);
      queue.leased -= 1;
      if (queue.leased === 0) queues.delete(webhookId);
      if (queue.leased === ROOM / 2) wake();
    });
    running.add(done);
    done.catch(() => undefined);
  };
  /** Busy webhooks get more once half of their leases are free. */
  const rooms = () =>
    new Map(
      [...queues].map(([id, { leased }]) => [id, leased <= ROOM / 2 ? ROOM - leased : 0] as const),
    );
  const fill = async (signal: AbortSignal) => {
    await releaseLeases(database.query, unsent.splice(0));
    awake = Promise.withResolvers();
    if (isPaused()) return;
    const leased = await leaseDue(database.query, rooms(), ROOM, leaseMs);
    for (const delivery of leased) start(delivery, signal);
  };
  return {
    /** Looks for due deliveries now. */
    wake,
    /** Sends until the signal, then waits for the requests under way and gives the rest back. */
    run: async (signal: AbortSignal) => {
      try {
        while (!signal.aborted) {
          await fill(signal);
          await pause(awake, signal);
        }
      } finally {
        if (signal.aborted) {
          await Promise.allSettled(running);
          await releaseLeases(database.query, unsent.splice(0));
        }
      }
    },
  };
}

/** Waits until it is woken, for POLL_MS, or until the signal. */
async function pause(
  { promise, resolve }: PromiseWithResolvers<void>,
  signal: AbortSignal,
): Promise<void> {
  const end = () => resolve();
  const timer = setTimeout(end, POLL_MS);
  signal.addEventListener('abort', end, { once: true });
  if (!signal.aborted) await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
}

const outcomeOf = ({ state }: Attempt) => (state === 'waiting' ? 'retried' : state);

/** Takes one statement if everything was delivered to webhooks that work. */
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
    const disabled =
      failed.length > 0 ? await disableDead(query, gone, failed, WEBHOOK_LIMITS.failingDays) : [];
    await recordChanges(
      query,
      engineOf('risk worker'),
      disabled.map(({ id: subject, reason: disabledReason }) => ({
        action: 'webhook.disable',
        subject,
        before: null,
        after: { disabledReason, by: ENGINE },
      })),
    );
  });
}

const idsOf = (attempts: readonly Attempt[]): string[] => [
  ...new Set(attempts.map(({ delivery }) => delivery.webhookId)),
];
