/** Webhooks in a worker: one process makes deliveries from what Postgres holds, and every process sends. */
import type { Worker, WorkerRoom } from '../../core/room.ts';
import { type Duty, ofEach } from '../../kit/duties/run-duties.ts';
import { createPostEvent } from './deliver/post-event.ts';
import { createSender } from './deliver/sender.ts';
import { openTargets } from './deliver/target.ts';
import { createWebhookMetrics } from './metrics.ts';
import {
  hasLogged,
  type Raised,
  raiseDecided,
  raiseLogged,
  raiseWaiting,
  raiseWatched,
} from './raise-events.ts';
import { findOldestDue } from './store/due.ts';
import { addHooked, hasHooked } from './store/intake.ts';
import { countDisabled } from './store/webhooks.ts';

/** Deliveries are made this late after a score was stored. */
const RAISE_EVERY_MS = 1000;
/** Steps of one run of each kind, so that no kind waits for long. */
const RAISE_STEPS = 20;
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
    switches: worker.switches.current,
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
            if (await hasLogged(database.query, log))
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
