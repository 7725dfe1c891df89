/** Webhooks in a worker: one process makes deliveries from what Postgres holds, and every process sends. */
import { toScoreJson } from '../../core/domain/score-record.ts';
import { type DecisionEvent, type Event, type EventSource, TAKES } from '../../core/events.ts';
import type { Worker, WorkerRoom } from '../../core/room.ts';
import type { ScoredStatement } from '../../core/store/scores/score-values.ts';
import type { Database } from '../../kit/database/pool.ts';
import {
  IDS,
  type Ids,
  idsOf,
  openOutbox,
  outboxDuty,
  type Topic,
} from '../../kit/outbox/outbox.ts';
import { createPostEvent } from './deliver/attempt.ts';
import { createSender } from './deliver/sender.ts';
import { openTargets } from './deliver/target.ts';
import { match, toLists } from './match-events.ts';
import { createWebhookMetrics } from './metrics.ts';
import { findClients, locateDecided } from './store/decided-scores.ts';
import { findKnownEvents, insertDeliveries, type NewDelivery } from './store/deliveries.ts';
import { countDisabled, findOldestDue, listTakers } from './store/webhooks.ts';

const TAKERS = `from market.webhook_endpoints where 'transaction.decided' = any (event_types) and ${TAKES}`;

/** Adds a row for those of the scores whose verdict a webhook takes. Without a webhook, the scores are not looked at. */
export const addDecided: ScoredStatement = {
  name: 'add-decided',
  insert: ({ ids, verdicts }) => `insert into market.outbox_decided (transaction_ids)
      select array_agg(transaction_id)
        from unnest(${ids}::uuid[], ${verdicts}::text[]) as decided (transaction_id, verdict)
       where exists (select ${TAKERS}) and verdict in (select unnest(verdicts) ${TAKERS})
      having count(*) > 0`,
  toValue: null,
};

/** Deadlines and alerts, which hold for minutes. */
const WATCH_EVERY_MS = 10_000;
/** How soon sending goes on after Postgres was away. */
const SEND_AGAIN_MS = 1000;

export async function openWebhooks(worker: Worker): Promise<WorkerRoom> {
  const { config, database, leadership, events } = worker;
  const metrics = createWebhookMetrics(worker.metrics.make);
  const lead = leadership.of('care');
  const sender = createSender({
    database,
    sealKeys: config.RISK_WEBHOOK_KEYS ?? [],
    post: createPostEvent(openTargets(config)).post,
    count: (outcome) => metrics.webhookAttempts.inc({ outcome }),
    random: Math.random,
    nowMs: Date.now,
    controls: worker.controls.current,
  });
  const onApplied = (deliveries: number) => {
    if (deliveries === 0) return;
    metrics.webhookEvents.inc(deliveries);
    sender.wake();
  };
  const watch = async () => {
    onApplied(await raiseWatched(database, events, Date.now()));
    metrics.webhookDue.set((await findOldestDue(database.query)).seconds);
    metrics.webhooksDisabled.set((await countDisabled(database.query)).disabled);
  };
  return {
    onScored: addDecided,
    duties: [
      outboxDuty(worker, DECIDED, { onApplied }),
      outboxDuty(worker, EVENTS, { onApplied }),
      {
        name: 'watch-webhooks',
        everyMs: WATCH_EVERY_MS,
        run: async () => {
          if (await lead.run(watch)) return;
          metrics.webhookDue.set(0);
          metrics.webhooksDisabled.set(0);
        },
      },
      { name: 'send-webhooks', everyMs: SEND_AGAIN_MS, run: sender.run },
    ],
  };
}

/** Makes deliveries of verdicts. */
export const DECIDED: Topic<Ids, number> = {
  outbox: openOutbox<Ids>({ name: 'decided', columns: IDS, rowsMax: 500, weightMax: 500 }),
  apply: async (query, rows) => {
    const webhooks = await listTakers(query);
    if (webhooks.length === 0) return 0;
    const decisions = (await locateDecided(query, idsOf(rows))).map(({ score, client, paid }) => {
      const { scoredAtMs: atMs, corridor, verdict } = score;
      const json = JSON.stringify({ ...toScoreJson(score), ...paid });
      return { client, corridor, verdict, atMs, json };
    });
    const made = await insertDeliveries(query, toLists(webhooks, 'transaction.decided', decisions));
    return made.length;
  },
};

type EventRow = { readonly event: string };

/** Makes deliveries of events that rooms have added; those that are decisions become lists. */
export const EVENTS: Topic<EventRow, number> = {
  outbox: openOutbox<EventRow>({
    ...{ name: 'events', columns: 'event', weight: '1', rowsMax: 500, weightMax: 500 },
  }),
  apply: async (query, rows) => {
    const webhooks = await listTakers(query);
    const events: readonly (Event | DecisionEvent)[] = rows.map(({ event }) => {
      const { at, ...stored } = JSON.parse(event);
      return { ...stored, at: new Date(at) };
    });
    const others = events.flatMap((event) => (isDecision(event) ? [] : event));
    const decisions = events.filter(isDecision);
    const ids = webhooks.some(({ client }) => client !== null)
      ? decisions.map(({ transactionId }) => transactionId)
      : [];
    const clients = ids.length === 0 ? new Map<string, string>() : await findClients(query, ids);
    const listed = decisions.map(({ transactionId, corridor, at, data, clientData }) => ({
      ...{ client: clients.get(transactionId) ?? null, corridor, atMs: at.getTime() },
      ...{ json: JSON.stringify(data), clientJson: JSON.stringify(clientData) },
    }));
    const lists = toLists(webhooks, 'transaction.final_decision', listed);
    const made = [await insertDeliveries(query, lists)];
    made.push(await insertDeliveries(query, match(webhooks, others)));
    return made.flat().length;
  },
};

const isDecision = (event: Event | DecisionEvent): event is DecisionEvent =>
  'transactionId' in event;

/** Makes deliveries of events that are found again and again; a webhook gets an event id once. @returns how many are new */
export async function raiseWatched(
  { query }: Pick<Database, 'query'>,
  sources: readonly EventSource[],
  nowMs: number,
): Promise<number> {
  const webhooks = await listTakers(query);
  const events: Event[] = [];
  for (const { type, find } of sources) {
    const isTaken = webhooks.some(({ event_types: types }) => types.includes(type));
    if (isTaken) events.push(...(await find(query, nowMs)));
  }
  // A row that is inserted in vain takes an id and leaves a dead row; most events are known.
  const unknown: NewDelivery[] = [];
  const byWebhook = Map.groupBy(match(webhooks, events), ({ webhookId }) => webhookId);
  for (const [webhookId, deliveries] of byWebhook) {
    const ids = deliveries.map(({ eventId }) => eventId);
    const known = await findKnownEvents(query, webhookId, ids);
    unknown.push(...deliveries.filter(({ eventId }) => !known.has(eventId)));
  }
  return (await insertDeliveries(query, unknown)).length;
}
