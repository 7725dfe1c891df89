/** Webhooks on a database of one test: made as the API makes them, and sent as a worker sends. */
import type { Controls } from '../../../../src/core/domain/control.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import type { Actor } from '../../../../src/kit/words/principal.ts';
import * as change from '../../../../src/rooms/webhooks/change.ts';
import { createPostEvent } from '../../../../src/rooms/webhooks/deliver/attempt.ts';
import { createSender } from '../../../../src/rooms/webhooks/deliver/sender.ts';
import { createTargets, type Resolve } from '../../../../src/rooms/webhooks/deliver/target.ts';
import { insertDeliveries } from '../../../../src/rooms/webhooks/store/deliveries.ts';
import {
  type DeliveryListParameters,
  newWebhookSchema,
  type WebhookChange,
} from '../../../../src/rooms/webhooks/webhook.ts';
import { controlsOf } from '../../controls.ts';
import { createTestDatabase } from '../../database.ts';
import { waitUntil } from '../../wait-until.ts';
import { type Receiver, startReceiver } from './receiver.ts';

export const ANN = { name: 'Ann', keyId: null, request: 'a test' };
const sealKeys = [Buffer.alloc(32, 7)];
const NOBODY: Resolve = async () => [];

/** @param resolve finds addresses of names; this machine itself is allowed */
export function openWebhooks(database: Database, resolve: Resolve = NOBODY) {
  const targets = createTargets(resolve, true);
  return {
    read: (id: string) => change.readWebhook(database.query, id),
    change: (id: string, wanted: WebhookChange, by: Actor) =>
      change.changeWebhook(database, targets, id, wanted, by),
    rotate: (id: string, by: Actor) => change.rotateSecret(database, sealKeys, id, by),
    remove: (id: string, by: Actor) => change.deleteWebhook(database, id, by),
    sendTest: (id: string, by: Actor) => change.sendTest(database, id, by),
    listDeliveries: (id: string, parameters: DeliveryListParameters) =>
      change.listDeliveriesOf(database.query, id, parameters),
    redeliver: (id: string, deliveryId: string, by: Actor) =>
      change.redeliverEvent(database, id, deliveryId, by),
    make: async (url: string, more: object = {}) => {
      const wanted = { url, event_types: ['transaction.decided'], ...more };
      const parsed = newWebhookSchema.parse(wanted);
      return await change.createWebhook(database, targets, sealKeys, parsed, ANN);
    },
  };
}

type SenderOptions = {
  readonly resolve?: Resolve;
  readonly leaseMs?: number;
  readonly timeoutMs?: number;
  readonly controls?: Controls;
};

/** Sends until it is stopped. */
export function startSender(
  database: Pick<Database, 'query' | 'transaction'>,
  { resolve = NOBODY, leaseMs, timeoutMs, controls = controlsOf() }: SenderOptions = {},
) {
  const outcomes: string[] = [];
  const post = createPostEvent(createTargets(resolve, true), timeoutMs);
  const sender = createSender({
    ...{ database, sealKeys, post: post.post },
    count: (outcome) => outcomes.push(outcome),
    ...{ random: () => 0, nowMs: Date.now, controls: () => controls },
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
  const controller = new AbortController();
  const done = sender.run(controller.signal);
  done.catch(() => undefined);
  const stop = async () => {
    controller.abort();
    await done;
    post[Symbol.dispose]();
  };
  // `wake` looks for due deliveries now.
  return { outcomes, wake: sender.wake, stop, [Symbol.asyncDispose]: stop };
}

export type DeliveryRow = {
  readonly event_id: string;
  readonly state: string;
  readonly attempts: number;
  readonly response_status: number | null;
  readonly error: string | null;
  /** Seconds from the last attempt to the next. */
  readonly waits: number | null;
};

/** A database with webhooks, and a receiver for each test. */
export async function createWebhookRig() {
  const testDatabase = await createTestDatabase();
  const database = testDatabase.open({ connectionsMax: 10 });
  const owned: AsyncDisposable[] = [];
  let receiver: Receiver | undefined;
  let made = 0;
  const own = <T extends AsyncDisposable>(one: T): T => {
    owned.push(one);
    return one;
  };
  const rows = async () =>
    await testDatabase.sql<DeliveryRow>(
      `select event_id, state, attempts, response_status, error, extract(epoch from next_at - last_at)::float8 as waits
         from webhook_deliveries order by delivery_id`,
    );
  return {
    ...{ testDatabase, database, own, rows, webhooks: openWebhooks(database) },
    get receiver(): Receiver {
      if (receiver === undefined) throw new Error('no test has begun');
      return receiver;
    },
    begin: async () => {
      await testDatabase.sql(
        'truncate webhook_endpoints, webhook_deliveries, outbox_decided, outbox_events',
      );
      receiver = own(await startReceiver());
    },
    end: async () => {
      for (const one of owned.splice(0).reverse()) await one[Symbol.asyncDispose]();
    },
    /** Makes deliveries to an endpoint; returns the ids of their events, sorted. */
    deliver: async (webhookId: string, count = 1, data: object = {}): Promise<string[]> => {
      const ids = Array.from({ length: count }, () => `decided_${String(made++).padStart(6, '0')}`);
      await insertDeliveries(
        database.query,
        ids.map((eventId) => ({
          ...{ webhookId, eventId, eventType: 'transaction.decided' as const },
          payload: JSON.stringify({ type: 'transaction.decided', data: { eventId, ...data } }),
          decisions: 1,
        })),
      );
      return ids;
    },
    until: async (count: number, state: string) =>
      await waitUntil(
        async () => (await rows()).filter((row) => row.state === state).length >= count,
        10_000,
        `${count} deliveries to be ${state}`,
      ),
    attempted: async () =>
      await waitUntil(
        async () => (await rows()).every(({ attempts }) => attempts > 0),
        10_000,
        'an attempt at each delivery',
      ),
    /** Makes what waits for its next attempt due, and lets its sender know. */
    hurry: async (sender?: Pick<ReturnType<typeof startSender>, 'wake'>) => {
      await testDatabase.sql(
        `update webhook_deliveries set next_at = now() where state = 'waiting'`,
      );
      sender?.wake();
    },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await testDatabase[Symbol.asyncDispose]();
    },
  };
}
