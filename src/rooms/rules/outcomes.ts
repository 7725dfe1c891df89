/**
 * `GET /v1/rules/outcomes`: how often each rule of the rule set in force fired, by the daily tallies, and what became of those
 * transactions, by a sample whose cost does not grow with the traffic.
 */
import { z } from 'zod';
import {
  OUTCOME_DAYS,
  outcomeShareSchema,
  outcomesFromMs,
  shareOf,
} from '../../core/domain/outcome-share.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { currentRuleSet } from '../../core/score/rules/rule-sets.ts';
import { listRuleSetsInForce } from '../../core/store/rule-sets/watch-rule-sets.ts';
import { type ScoreReasons, sampleReasons } from '../../core/store/scores/score-window.ts';
import { sumDays } from '../../core/store/tallies/day-sums.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';

/** At one fraud in a hundred and twenty, these rows hold 160 frauds. */
const SAMPLE_ROWS = 20_000;
/** More than rules and verdicts, by day. */
const SUMS_MAX = 10_000;
const BY_OUTCOME = { corridor: false, outcome: true, ruleSet: false, model: false };
const ANY = { corridor: undefined, currency: undefined, ruleSet: undefined, model: undefined };

export const ruleOutcomesParameters = z.strictObject({
  days: z
    .enum(OUTCOME_DAYS)
    .default('7')
    .meta({ description: 'UTC days back, today among them.', example: '7' }),
});
export type OutcomeDays = z.output<typeof ruleOutcomesParameters>['days'];

const countsSchema = z.object({
  approve: z.int(),
  review: z.int(),
  decline: z.int(),
  fraud: z.int(),
  legitimate: z.int(),
});

export const ruleOutcomesSchema = z
  .object({
    rule_set: z.string().meta({ description: 'That of the version of the engine.' }),
    from: z.iso.datetime(),
    to: z.iso.datetime().meta({ description: 'Exclusive; both of created_at.' }),
    scores: z.int().meta({ description: 'By the daily tallies: all of these days.' }),
    sampled: z.int().meta({
      description: `Scores that verdicts and labels below are counted on, at most ${SAMPLE_ROWS}, spread like the traffic.`,
    }),
    sampled_frauds: z.int().meta({
      description: 'Known frauds of the sample, whether a rule fired on them or not.',
    }),
    rules: z.array(
      z.object({
        code: z.string(),
        rule_sets: z.array(z.string()).meta({ description: 'Rule sets in force that have it.' }),
        hits: z.int().meta({ description: 'By the daily tallies: all of these days.' }),
        sampled: countsSchema.extend({ hits: z.int() }).meta({
          description: 'Of the sample: verdicts, and labels as they are now.',
        }),
        precision: outcomeShareSchema.nullable().meta({
          description: 'Frauds among hits of the sample that have a label; null without any.',
        }),
      }),
    ),
  })
  .meta({ id: 'RuleOutcomes' });
export type RuleOutcomesJson = z.infer<typeof ruleOutcomesSchema>;

export const ruleOutcomesExample: RuleOutcomesJson = {
  rule_set: 'default@3',
  from: '2026-11-14T00:00:00.000Z',
  to: '2026-11-20T09:30:00.000Z',
  scores: 1_204_113,
  sampled: 20_000,
  sampled_frauds: 120,
  rules: [
    {
      code: 'VELOCITY_COUNT_1H',
      rule_sets: ['default@3'],
      hits: 5120,
      sampled: { hits: 85, approve: 20, review: 50, decline: 15, fraud: 31, legitimate: 9 },
      precision: { rows: 40, value: 0.775, low: 0.625, high: 0.877 },
    },
  ],
};

export async function readRuleOutcomes(
  database: Database,
  days: OutcomeDays,
  nowMs: number,
): Promise<RuleOutcomesJson> {
  const lastMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const firstMs = outcomesFromMs(days, nowMs);
  const inForce = await listRuleSetsInForce(database);
  const hits = await sumBy(database, null, firstMs, lastMs);
  const window = { fromMs: firstMs, toMs: nowMs };
  const { signal } = new AbortController();
  const sampled = await sampleReasons(database.query, window, SAMPLE_ROWS, signal);
  const scores = await sumBy(database, VERDICTS, firstMs, lastMs);
  return {
    rule_set: currentRuleSet.id,
    from: new Date(firstMs).toISOString(),
    to: new Date(nowMs).toISOString(),
    scores: [...scores.values()].reduce((sum, count) => sum + count, 0),
    sampled: sampled.length,
    sampled_frauds: sampled.filter(({ isFraud }) => isFraud === true).length,
    rules: codesOf(inForce).map((code) => {
      const own = countOutcomes(sampled.filter(({ codes }) => codes.includes(code)));
      const labelled = own.fraud + own.legitimate;
      return {
        code,
        rule_sets: inForce.filter((one) => hasCode(one, code)).map(({ id }) => id),
        hits: hits.get(code) ?? 0,
        sampled: own,
        precision: shareOf(own.fraud, labelled),
      };
    }),
  };
}

const codesOf = (ruleSets: readonly CompiledRuleSet[]) => [
  ...new Set(ruleSets.flatMap(({ rules }) => rules.map(({ code }) => code))),
];
const hasCode = ({ rules }: CompiledRuleSet, wanted: string) =>
  rules.some(({ code }) => code === wanted);

/** How often the daily tallies count each of these outcomes. */
export async function sumBy(
  database: Database,
  outcomes: readonly string[] | null,
  firstMs: number,
  lastMs: number,
): Promise<ReadonlyMap<string, number>> {
  const question = { firstMs, lastMs, outcomes, own: outcomes, by: BY_OUTCOME, only: ANY };
  const { sums } = await sumDays(database, question, SUMS_MAX);
  const counts = new Map<string, number>();
  for (const { outcome, count } of sums) {
    if (outcome !== null) counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  }
  return counts;
}

function countOutcomes(rows: readonly ScoreReasons[]) {
  const count = (is: (row: ScoreReasons) => boolean) => rows.filter(is).length;
  return {
    hits: rows.length,
    approve: count(({ verdict }) => verdict === 'approve'),
    review: count(({ verdict }) => verdict === 'review'),
    decline: count(({ verdict }) => verdict === 'decline'),
    fraud: count(({ isFraud }) => isFraud === true),
    legitimate: count(({ isFraud }) => isFraud === false),
  };
}
