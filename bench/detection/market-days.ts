/**
 * Days of a market: before each day its known labels are sent and its table is built, then its payments are sent and all are
 * scored.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createApiClient, createRetries } from '../../src/kit/client/api-client.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import type { BenchContext } from '../support/bench.ts';
import { openPerson, taken } from '../support/person.ts';
import type { Pipeline } from '../support/pipeline.ts';
import { readScored, untilScored } from '../support/scored-counter.ts';
import { postLabels, postPayments } from './feed.ts';
import { delayDaysOf, type Labels, labelledOf } from './labels.ts';
import type { Process } from './processes.ts';
import { type Day, dateOf, type Payment } from './published-days.ts';
import { runRisk } from './risk-command.ts';

const DAY_MS = 86_400_000;
const OUTAGE_MS_MAX = 60_000;
/** After so long every process reads a change before it uses what it knows. */
const FOLLOWED_MS = 1500;

/** The memory that a trainer gives a night. */
export const NIGHT = {
  NODE_OPTIONS: '--max-old-space-size=96 --max-semi-space-size=1 --v8-pool-size=1',
};

export type Night = Awaited<ReturnType<typeof runRisk>>;

export type Score = {
  readonly id: string;
  readonly risk: number;
  /** Risk that the rules alone would give. */
  readonly ruled: number;
  readonly margin: number;
  /** Kind of the model that decided; null: the rules. */
  readonly by: string | null;
  readonly isStopped: boolean;
  /** Whether the table of the payment's day judged. */
  readonly isOfDay: boolean;
};

export type Lived = {
  /** With scores in the order of the payments. */
  readonly days: (Day & { readonly scores: readonly Score[] })[];
  /** Payments whose label is known once its time has come. */
  readonly labelled: Payment[];
  readonly nights: Night[];
  feedSeconds: number;
};

type MarketDays = { readonly lived: Lived; readonly live: (days: readonly Day[]) => Promise<void> };

export async function openMarketDays(
  pipeline: Pipeline,
  {
    process,
    labels,
    alertPercent,
  }: { readonly process: Process; readonly labels: Labels; readonly alertPercent: number },
  { signal, output }: BenchContext,
  afterNight?: (startMs: number, night: Night) => Promise<void>,
): Promise<MarketDays> {
  const { api, apiKey, workers, services } = pipeline;
  const client = createApiClient({ url: api.url, key: apiKey, signal });
  const onWaiting = (why: string) => output.note(`waiting: ${why}`);
  const target = {
    client,
    retries: createRetries({ outageMsMax: OUTAGE_MS_MAX, signal, onWaiting }),
  };
  const officer = await openPerson(pipeline, 'officer', signal);
  const followed = () => delay(FOLLOWED_MS, undefined, { signal });

  for (const [name, type] of Object.entries(process.fields)) {
    const field = { type, description: `A column of ${process.payments}.` };
    taken(await officer('PUT', `/v1/metadata-fields/${name}`, field));
  }
  const group = { group: process.group, reason: `The process ${process.name}.` };
  taken(await officer('PUT', '/v1/scorecard-group', group));
  await followed();

  const delayMs = delayDaysOf(labels) * DAY_MS;
  const labelledByDay = new Map<number, readonly Payment[]>();
  const lived: Lived = { days: [], labelled: [], nights: [], feedSeconds: 0 };

  async function feed(payments: readonly Payment[]): Promise<string[]> {
    const startedMs = performance.now();
    const scoredBefore = await readScored(workers, signal);
    const ids = await postPayments(target, payments);
    await untilScored(workers, { scoredBefore, transactions: () => ids.length }, signal);
    lived.feedSeconds += (performance.now() - startedMs) / 1000;
    return ids;
  }

  return {
    lived,
    async live(days) {
      for (const { startMs, payments } of days) {
        // A label counts from its `labelled_at`, so those of the day may all be sent before its payments.
        await postLabels(target, labelledByDay.get(startMs - delayMs) ?? [], delayMs);
        if (lived.days.length > 0) {
          const night = await buildTable(pipeline, startMs);
          lived.nights.push(night);
          await afterNight?.(startMs, night);
          await followed();
        }
        output.progress(`${dateOf(startMs)}: ${payments.length} payments`);
        const ids = await feed(payments);
        const byId = await readScores(services.database, startMs);
        const scores = ids.map((id) => {
          const score = byId.get(id);
          if (score !== undefined) return score;
          throw new Failure('permanent', 'NO_SCORE', `the payment ${id} has no score`);
        });
        const margins = scores.map(({ margin }) => margin);
        const labelled = labelledOf(labels, payments, margins, alertPercent);
        labelledByDay.set(startMs, labelled);
        lived.labelled.push(...labelled);
        lived.days.push({ startMs, payments, scores });
      }
    },
  };
}

const buildTable = (pipeline: Pipeline, ms: number) =>
  runRisk(pipeline, ['scorecard', 'build', '--day', dateOf(ms)], NIGHT);

/** Scores of a day by the transaction's id. */
async function readScores(
  database: Pipeline['services']['database'],
  startMs: number,
): Promise<Map<string, Score>> {
  const { rows } = await database.query<Score>(
    `select transaction_id as id, risk, coalesce(by_rules / 1000.0, risk)::float8 as ruled, margin,
            split_part(model, '@', 1) as by, verdict <> 'approve' as "isStopped",
            scorecard is not distinct from (select serial from scorecards where day = $3) as "isOfDay"
       from scores where created_at >= $1 and created_at < $2`,
    [new Date(startMs), new Date(startMs + DAY_MS), dateOf(startMs)],
  );
  return new Map(rows.map((score) => [score.id, score]));
}
