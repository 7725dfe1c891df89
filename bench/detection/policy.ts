/**
 * A policy over a market's days. Two people put it in force on the first day on which it may decide, take the nights that wait, renew
 * it, and put trees in force that are ahead; trees are trained each week.
 */
import { readConfig } from '../../src/kit/config/config.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { findAhead } from '../../src/rooms/models/store/trees.ts';
import { trainTrees } from '../../src/rooms/models/trees/train-trees.ts';
import type { BenchContext } from '../support/bench.ts';
import { MARKET } from '../support/market.ts';
import { openPerson, taken } from '../support/person.ts';
import type { Pipeline } from '../support/pipeline.ts';
import type { Lived, Night, Score } from './market-days.ts';
import { readShadow } from './officers.ts';
import { dateOf } from './published-days.ts';
import { runRisk } from './risk-command.ts';
import type { Week } from './weeks.ts';

const DAY_MS = 86_400_000;
const CORRIDOR = 'US-US';
const reason = 'a bench of the first 90 days';
/** When the engine lets a policy decide, and when it trains trees. */
const [KNOWN_MIN, TREES_KNOWN_MIN, TREES_FROM_DAYS] = [50, 500, 28];
/** A policy ends within 90 days, which pass in minutes here; people renew it before its end. */
const [ENDS_DAYS, RENEWED_DAYS] = [89, 45];
const [WINDOW_DAYS, JUDGED_DAYS, RATIO_OFF_MAX] = [7, 60, 1 / 3];
const PRECISION_OFF_MAX = 0.005;
const VERIFIED = '100000';

export type PolicyDays = Awaited<ReturnType<typeof openPolicy>>;

/** @param starts when the weeks begin in which people look at trees and at the end of the policy */
export async function openPolicy(
  pipeline: Pipeline,
  { share, withTrees }: { readonly share: number; readonly withTrees: boolean },
  starts: readonly number[],
  { signal, output }: BenchContext,
) {
  const { databaseUrl } = pipeline.services;
  const ann = await openPerson(pipeline, 'ann', signal);
  const bob = await openPerson(pipeline, 'bob', signal);
  const settings = readConfig({ DATABASE_URL: databaseUrl, RISK_MARKET: MARKET });
  if ('problems' in settings) throw new Error(settings.problems.join('; '));
  const { config } = settings;
  let [name, days, begunOn, waited]: [string | null, number, number, number] = [null, 0, 0, 0];

  const byTwo = async (path: string, body: object) => {
    const { approval_id, subject } = taken(await ann('POST', path, body));
    taken(await bob('POST', `/v1/approvals/${approval_id}/confirm`, {}));
    return String(subject);
  };
  const end = async (policy: string) => {
    const ended = { in_force: false, reason };
    taken(await ann('PUT', `/v1/controls/scorecard/model:${policy}`, ended));
  };
  const promote = (model: string, to: string) =>
    byTwo(`/v1/models/${model}/proposals`, { corridor: 'all', to, override: reason });

  async function begin() {
    const former = name;
    const ends_at = new Date(Date.now() + ENDS_DAYS * DAY_MS).toISOString();
    const asked = { corridor: CORRIDOR, review_share: share, decline_share: 0.001 };
    name = await byTwo('/v1/scorecard-policies', { ...asked, ends_at, reason });
    await promote(name, 'active');
    if (former !== null) await end(former);
    begunOn = days;
    output.note(`day ${days}: ${name} decides`);
  }

  /** A policy that catches less than the rules ends by itself, and people propose the next one. */
  async function findEnd(policy: string) {
    const { rows } = await pipeline.services.database.query<{ who: string; reason: string }>(
      `select who, after ->> 'reason' as reason from audit_log
        where action = 'control.end' and subject like '%' || $1`,
      [policy],
    );
    return rows[0];
  }

  async function train(startMs: number) {
    await using pool = openDatabase(config, databaseUrl, 'bench', { statementTimeoutMs: DAY_MS });
    const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
    const day = { day: startMs / DAY_MS, maturityDays, by: engineOf('bench'), signal };
    // A trainer tries again later.
    await trainTrees(pool, day).catch((error: unknown) => output.note(String(error)));
    const [ahead] = await findAhead(pool.query);
    if (ahead === undefined) return;
    const { model, at: _, ...beside } = ahead;
    for (const to of ['canary:5', 'active']) await promote(model, to);
    output.note(`day ${days}: ${model} decides, ${JSON.stringify(beside)}`);
  }

  return {
    /** Once the table of a day is built, and before its payments. */
    async after(startMs: number, { answer }: Night) {
      days++;
      const known = Number(answer['frauds']);
      if (answer['is_taken'] === false) {
        waited++;
        await byTwo(`/v1/scorecards/${dateOf(startMs)}/proposals`, { reason });
      }
      const ended = name === null ? undefined : await findEnd(name);
      if (ended) output.note(`day ${days}: ${name} ends by ${ended.who}: ${ended.reason}`);
      if (ended) name = null;
      const isWeek = starts.includes(startMs);
      if (known >= KNOWN_MIN && (name === null || (isWeek && days - begunOn >= RENEWED_DAYS)))
        await begin();
      if (withTrees && isWeek && days >= TREES_FROM_DAYS && known >= TREES_KNOWN_MIN)
        await train(startMs);
    },

    /** Beside scores of the rules and of the scorecard. Trees are in shadow where the policy has a score, and in force elsewhere. */
    async scores(scores: readonly Score[]) {
      const shadow = await readShadow(pipeline, 'scorecard-trees@', scores);
      return {
        policy: scores.map(({ by, risk }) => (by === 'scorecard-policy' ? risk : Number.NaN)),
        trees: shadow.map((said, nth) =>
          scores[nth]?.by === 'scorecard-trees' ? scores[nth].risk : said,
        ),
      };
    },

    async report(lived: Lived, weeks: readonly Week[]) {
      const spans = ['scorecard-policy', 'scorecard-trees'].map((kind) =>
        spanOf(kind, lived.days, share),
      );
      const args = ['verify', 'scores', '--sample', VERIFIED];
      const { different } = (await runRisk(pipeline, args, {})).answer;
      const off = weeks.filter(
        ({ precisions: { policy = 0, scorecard = 0 } }) =>
          Math.abs(policy - scorecard) > PRECISION_OFF_MAX,
      );
      return {
        figures: { nights_that_waited: waited, scores_verified_otherwise: Number(different) },
        tables: [
          {
            title: 'shares of payments that were stopped over those asked for, by who decided',
            rows: spans.map((span) => span.row),
          },
        ],
        breaches: [
          ...off.map(({ startMs }) => `the week of ${dateOf(startMs)}: in force is not in shadow`),
          ...spans.flatMap((span) => span.breaches),
          ...(different === 0 ? [] : [`${different} scores are verified to other bits`]),
        ],
      };
    },
  };
}

/** Whole days on which one kind decided, and each seven days in a row of the first 60. */
function spanOf(kind: string, days: Lived['days'], share: number) {
  const own = days.filter(({ scores }) => scores.every(({ by }) => by === kind));
  const judged = new Set(own.slice(0, JUDGED_DAYS));
  const stoppedOf = (of: Lived['days']) =>
    of.flatMap(({ payments, scores }) => payments.filter((_, nth) => scores[nth]?.isStopped));
  const ratioOf = (of: Lived['days']) =>
    stoppedOf(of).length / of.reduce((sum, { payments }) => sum + payments.length, 0) / share;
  const windows = days
    .map((_, nth) => days.slice(nth, nth + WINDOW_DAYS))
    .filter((of) => of.length === WINDOW_DAYS && of.every((day) => judged.has(day)))
    .map((of) => ({ from: dateOf(of[0]?.startMs ?? 0), ratio: ratioOf(of) }));
  const ratios = windows.map(({ ratio }) => ratio);
  const stopped = stoppedOf(own);
  return {
    row: {
      ...{ by: kind, days: own.length, ratio: told(ratioOf(own)) },
      least_of_seven_days: told(Math.min(...ratios)),
      greatest_of_seven_days: told(Math.max(...ratios)),
      precision: told(stopped.filter(({ isFraud }) => isFraud).length / stopped.length),
    },
    breaches: windows
      .filter(({ ratio }) => Math.abs(ratio - 1) > RATIO_OFF_MAX)
      .map(
        ({ from, ratio }) => `${kind}, seven days from ${from}: ${ratio.toFixed(2)} of its share`,
      ),
  };
}

/** A figure of nothing is no number. */
const told = (figure: number) => (Number.isFinite(figure) ? figure.toFixed(3) : '–');
