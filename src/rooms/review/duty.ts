/**
 * Review cases in a worker: one process opens them and makes decisions final, and each draws spot
 * checks from the transactions that it scores.
 */
import { openInvalidateLabelled } from '../../core/accept/invalidate-labelled.ts';
import type { Worker, WorkerRoom } from '../../core/room.ts';
import { recordChanges } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { outboxDuty } from '../../kit/outbox/outbox.ts';
import { ENGINE, engineOf } from '../../kit/words/principal.ts';
import { closeDecided } from './change/close-decided.ts';
import { REVIEWED } from './change/raise-cases.ts';
import { createReviewMetrics, type ReviewMetrics } from './metrics.ts';
import { priorityName } from './policy.ts';
import { hasDecided, type Opened } from './store/cases.ts';
import { countOverflow, countWaiting, escalateOlder, type Overflow } from './store/figures.ts';
import { readPolicy } from './store/policies.ts';
import { addReviewed } from './store/reviewed.ts';

/** Cases that one call escalates of a rule. */
const ESCALATED_MAX = 100;

/**
 * Counts what meets the overflow rules of the policy, and escalates where a rule says so. People carry other actions out.
 * @returns every rule with the number of cases that meet the rule
 */
export async function applyOverflow(
  writes: Pick<Database, 'transaction'>,
  query: Query,
  request: string,
): Promise<Overflow[]> {
  const { policy } = await readPolicy(query);
  const counted = await countOverflow(query, policy.overflow);
  for (const { rule, cases } of counted) {
    if (cases === 0 || !rule.actions.includes('escalate')) continue;
    await writes.transaction(async (query) => {
      const { priority, older_than_minutes: olderThanMinutes } = rule;
      const older = await escalateOlder(query, priority, olderThanMinutes, ESCALATED_MAX);
      const after = { escalatedBy: ENGINE, olderThanMinutes };
      await recordChanges(
        query,
        engineOf(request),
        older.map(({ subject }) => ({ action: 'case.escalate', subject, before: null, after })),
      );
    });
  }
  return counted;
}

/** Decisions become final this late. */
const CLOSE_EVERY_MS = 1000;
const WATCH_EVERY_MS = 10_000;
/** A new ratio of spot checks counts in every worker after this time. */
const RATIO_EVERY_MS = 5000;

export async function openReview(worker: Worker): Promise<WorkerRoom> {
  const { config, database, redis, guards, leadership } = worker;
  const metrics = createReviewMetrics(worker.metrics.make);
  const invalidateLabelled = openInvalidateLabelled(
    database,
    redis,
    config.RISK_MARKET,
    guards.redis.run,
  );
  const lead = leadership.of('care');
  const steps = { writes: lead.writes, database, invalidateLabelled };
  const countOpened = (opened: readonly Opened[]) => {
    for (const { source, priority, market_amount } of opened) {
      metrics.casesOpened.inc({ source, priority: priorityName(priority) });
      if (market_amount === null) metrics.casesUnrated.inc();
    }
  };
  const spotChecks = { ratio: 0 };
  return {
    onScored: addReviewed(spotChecks),
    duties: [
      {
        name: 'read-spot-check-ratio',
        everyMs: RATIO_EVERY_MS,
        run: async () => {
          spotChecks.ratio = (await readPolicy(database.query)).policy.spot_check_ratio;
        },
      },
      // A step a run, so that a burst of cases takes at most a step a second from scoring.
      outboxDuty(worker, REVIEWED, { stepsMax: 1, onApplied: countOpened }),
      {
        name: 'close-cases',
        everyMs: CLOSE_EVERY_MS,
        run: async (signal) => {
          await lead.run(() => closeAll(steps, metrics, signal));
        },
      },
      {
        name: 'watch-cases',
        everyMs: WATCH_EVERY_MS,
        run: async () => {
          // The worker that leads reports these gauges, so the last figures of another process are out of date.
          const { casesWaiting, casesLate, caseAge, caseOverflow } = metrics;
          for (const gauge of [casesWaiting, casesLate, caseAge, caseOverflow]) gauge.reset();
          await lead.run(() => reportFigures(lead.writes, database.query, metrics));
        },
      },
    ],
  };
}

async function closeAll(
  steps: Parameters<typeof closeDecided>[0],
  { casesClosed }: ReviewMetrics,
  signal: AbortSignal,
): Promise<void> {
  if (!(await hasDecided(steps.database.query))) return;
  while (!signal.aborted) {
    const closed = await closeDecided(steps, 'risk worker');
    if (closed.length === 0) return;
    for (const { disposition, priority } of closed) {
      casesClosed.inc({ disposition: disposition ?? '', priority: priorityName(priority) });
    }
  }
}

async function reportFigures(
  writes: Pick<Database, 'transaction'>,
  query: Query,
  { casesWaiting, casesLate, caseAge, caseOverflow }: ReviewMetrics,
): Promise<void> {
  for (const { rule, cases } of await applyOverflow(writes, query, 'risk worker')) {
    const priority = priorityName(rule.priority);
    for (const action of rule.actions) caseOverflow.set({ priority, action }, cases);
  }
  // The gauge of a priority shows the age of its oldest case, which comes last.
  const rows = (await countWaiting(query)).sort((a, b) => a.oldest_seconds - b.oldest_seconds);
  for (const { priority, waiting, missed, near, oldest_seconds: age } of rows) {
    casesWaiting.inc({ priority }, waiting);
    casesLate.inc({ priority, deadline: 'missed' }, missed);
    casesLate.inc({ priority, deadline: 'near' }, near);
    caseAge.set({ priority }, age);
  }
}
