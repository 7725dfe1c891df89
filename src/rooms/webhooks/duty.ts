/** Webhooks in a worker: one process makes deliveries from what Postgres holds, and every process sends. */
import { toScoreJson } from '../../core/domain/score-record.ts';
import {
  type DecisionLog,
  type Event,
  takersOf,
  type WaitingEvents,
  type WatchedEvents,
} from '../../core/events.ts';
import type { Worker, WorkerRoom } from '../../core/room.ts';
import { takeIntake } from '../../core/store/intake.ts';
import type { ScoredStatement } from '../../core/store/scores/score-values.ts';
import type { Database } from '../../kit/database/pool.ts';
import { anyOf } from '../../kit/database/statement.ts';
import { type Duty, ofEach } from '../../kit/duties/run-duties.ts';
import { createPostEvent } from './deliver/attempt.ts';
import { createSender } from './deliver/sender.ts';
import { openTargets } from './deliver/target.ts';
import { type ClientDecision, match, toLists } from './match-events.ts';
import { createWebhookMetrics } from './metrics.ts';
import { findClients, locateDecided } from './store/decided-scores.ts';
import {
  findKnownEvents,
  insertDeliveries,
  lockPosition,
  movePosition,
  type NewDelivery,
  readPosition,
} from './store/deliveries.ts';
import { countDisabled, findOldestDue, listTakers } from './store/webhooks.ts';

/** Transactions whose verdict a webhook takes, named by the statement that stores their scores. */

const TAKERS = takersOf('transaction.decided');

const hasHooked = anyOf('has-webhook-intake', 'from market.webhook_intake');

/** Adds a row for those of the scores whose verdict a webhook takes. Without a webhook, the scores are not looked at. */
export const addHooked: ScoredStatement = {
  name: 'add-webhook-intake',
  insert: ({ ids, verdicts }) => `insert into market.webhook_intake (transaction_ids)
      select array_agg(transaction_id)
        from unnest(${ids}::uuid[], ${verdicts}::text[]) as decided (transaction_id, verdict)
       where exists (select ${TAKERS}) and verdict in (select unnest(verdicts) ${TAKERS})
      having count(*) > 0`,
  toValue: null,
};

/** Deliveries are made this late after a score was stored. */
const RAISE_EVERY_MS = 1000;
/** Steps of one run of each kind, so that no kind waits for long. */
const RAISE_STEPS = 20;
/** Deadlines and alerts, which hold for minutes. */
const WATCH_EVERY_MS = 10_000;
/** How soon sending goes on after Postgres was away. */
const SEND_AGAIN_MS = 1000;

/** Rows of one step; each names transactions of a batch. */
const STEP_ROWS = 500;
/** Transactions of one step, and as many as its last row names beyond. */
const STEP_TRANSACTIONS = 500;

type Raised = { readonly deliveries: number; readonly mayHaveMore: boolean };

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
  const note = (deliveries: number) => {
    if (deliveries === 0) return;
    metrics.webhookEvents.inc(deliveries);
    sender.wake();
  };
  const logs = events.filter((source) => source.kind === 'decisions');
  const waiting = events.filter((source) => source.kind === 'waiting');
  const watched = events.filter((source) => source.kind === 'watched');
  let watchedMs = Number.NEGATIVE_INFINITY;
  const watch = async () => {
    if (performance.now() - watchedMs < WATCH_EVERY_MS) return;
    watchedMs = performance.now();
    note(await raiseWatched(database, watched, Date.now()));
    metrics.webhookDue.set((await findOldestDue(database.query)).seconds);
    metrics.webhooksDisabled.set((await countDisabled(database.query)).disabled);
  };
  const duties: Duty[] = [
    {
      name: 'raise-webhooks',
      everyMs: RAISE_EVERY_MS,
      run: async (signal) => {
        // All run side by side, so that an intake that is long or fails delays nothing else.
        const works = [
          async () => {
            if (await hasHooked(database.query))
              await raiseSome(() => raiseDecided(lead.writes), note, signal);
          },
          ...logs.map((log) => async () => {
            // A look at whether there is a decision behind the position, which proves no lead and locks nothing.
            const { decisionId } = await readPosition(database.query);
            if ((await log.listAfter(database.query, decisionId, 1)).length > 0)
              await raiseSome(() => raiseLogged(lead.writes, log), note, signal);
          }),
          ...waiting.map((source) => async () => {
            if (await source.has(database.query))
              await raiseSome(() => raiseWaiting(lead.writes, source), note, signal);
          }),
          watch,
        ];
        const isLeading = await lead.run(() => ofEach(works, (work) => work()));
        if (isLeading) return;
        metrics.webhookDue.set(0);
        metrics.webhooksDisabled.set(0);
      },
    },
    { name: 'send-webhooks', everyMs: SEND_AGAIN_MS, run: sender.run },
  ];
  return { onScored: addHooked, duties };
}

async function raiseSome(
  raise: () => Promise<Raised>,
  note: (deliveries: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let step = 0; step < RAISE_STEPS && !signal.aborted; step++) {
    const { deliveries, mayHaveMore } = await raise();
    note(deliveries);
    if (!mayHaveMore) return;
  }
}

/**
 * Makes deliveries of what has happened, in the database transactions that say how far each source of events was read.
 * `transaction.decided`: makes the deliveries that the oldest rows of the intake ask for, and deletes these rows.
 */
export async function raiseDecided(
  database: Pick<Database, 'transaction'>,
  transactionsMax: number = STEP_TRANSACTIONS,
): Promise<Raised> {
  return await database.transaction(async (query) => {
    const taken = await takeIntake(query, 'webhook_intake', [], STEP_ROWS, transactionsMax);
    const ids = taken.flatMap(({ transactionIds }) => transactionIds);
    const mayHaveMore = taken.length === STEP_ROWS || ids.length >= transactionsMax;
    const webhooks = taken.length === 0 ? [] : await listTakers(query);
    if (webhooks.length === 0) return { deliveries: 0, mayHaveMore };
    const located = await locateDecided(query, ids);
    const lists = toLists(webhooks, 'transaction.decided', located.map(toDecision));
    const made = await insertDeliveries(query, lists);
    return { deliveries: made.length, mayHaveMore };
  });
}

type Located = Awaited<ReturnType<typeof locateDecided>>[number];

function toDecision({ score, client, paid }: Located): ClientDecision {
  const { scoredAtMs, corridor, verdict } = score;
  const data = { ...toScoreJson(score), ...paid };
  return { client, corridor, verdict, atMs: scoredAtMs, json: JSON.stringify(data) };
}

/** Makes deliveries of the decisions behind the position, which moves in the same commit. */
export async function raiseLogged(
  database: Pick<Database, 'transaction'>,
  log: DecisionLog,
  rowsMax: number = STEP_ROWS,
): Promise<Raised> {
  return await database.transaction(async (query) => {
    const { decisionId } = await lockPosition(query);
    const page = await log.listAfter(query, decisionId, rowsMax);
    const last = page.at(-1);
    if (last === undefined) return { deliveries: 0, mayHaveMore: false };
    const webhooks = await listTakers(query);
    const needsClients = webhooks.some(({ client }) => client !== null);
    const ids = needsClients ? page.map(({ transactionId }) => transactionId) : [];
    const clients = ids.length === 0 ? new Map<string, string>() : await findClients(query, ids);
    const decisions = page.map((decision) => ({
      ...decision,
      client: clients.get(decision.transactionId) ?? null,
    }));
    const made = await insertDeliveries(query, toLists(webhooks, log.type, decisions));
    await movePosition(query, last.position);
    return { deliveries: made.length, mayHaveMore: page.length === rowsMax };
  });
}

/** Makes deliveries of the oldest events of a source, which loses these events in the same commit. */
async function raiseWaiting(
  database: Pick<Database, 'transaction'>,
  { take }: WaitingEvents,
): Promise<Raised> {
  return await database.transaction(async (query) => {
    const events = await take(query, STEP_ROWS);
    const webhooks = events.length === 0 ? [] : await listTakers(query);
    const made = await insertDeliveries(query, match(webhooks, events));
    return { deliveries: made.length, mayHaveMore: events.length === STEP_ROWS };
  });
}

/** Makes deliveries of events that are found again and again; a webhook gets an event id once. @returns how many are new */
export async function raiseWatched(
  { query }: Pick<Database, 'query'>,
  sources: readonly WatchedEvents[],
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
