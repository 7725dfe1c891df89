/**
 * `GET /v1/rules/outcomes`: how often each rule in force fired, by the daily tallies, and what became of those transactions: verdicts
 * crossed with labels, counted on the scores themselves.
 */
import { z } from 'zod';
import {
  OUTCOME_DAYS,
  outcomeShareSchema,
  outcomesFromMs,
  shareOf,
} from '../../core/domain/outcome-share.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import type { Api } from '../../core/room.ts';
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { currentRuleSet } from '../../core/score/rules/rule-sets.ts';
import { listRuleSetsInForce, readRuleSetsInForce } from '../../core/store/rule-sets/rule-sets.ts';
import { sumDays } from '../../core/store/tallies/day-tallies.ts';
import type { AnswerText } from '../../kit/caches/answer-cache.ts';
import type { Database } from '../../kit/database/pool.ts';
import { ASK_AGAIN } from '../../kit/http/answers/kept.ts';
import { answer, read } from '../../kit/http/operation.ts';
import { corridorFilter } from '../../kit/words/list-parameters.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { CROSSED_MAX, type Crossed, crossHits, NOTHING, sumOf } from './cross-hits.ts';

/** More than rules and verdicts, by day. */
const SUMS_MAX = 10_000;
const BY_OUTCOME = { corridor: false, outcome: true, ruleSet: false, model: false };
const ANY = { currency: undefined, ruleSet: undefined, model: undefined };

const ruleOutcomesParameters = z.strictObject({
  days: z
    .enum(OUTCOME_DAYS)
    .default('7')
    .meta({ description: 'UTC days back, today among them.', example: '7' }),
  corridor: corridorFilter,
});
export type OutcomesQuery = z.output<typeof ruleOutcomesParameters>;

const knownSchema = z.object({
  fraud: z.int(),
  legitimate: z.int(),
  none: z.int().meta({ description: 'Without a label.' }),
});
const crossedSchema = z.object({
  approve: knownSchema.extend({
    none: z.int().nullable().meta({
      description: 'Null where `counted_from` is later than `from`: the tallies count all days.',
    }),
  }),
  review: knownSchema,
  decline: knownSchema.meta({ description: 'Those that are legitimate were declined wrongly.' }),
});
type CrossedJson = z.infer<typeof crossedSchema>;

const ruleOutcomesSchema = z
  .object({
    rule_set: z.string().meta({
      description: 'Active in the corridor; without a corridor, that of the version of the engine.',
    }),
    corridor: z.string().nullable(),
    from: z.iso.datetime(),
    to: z.iso.datetime().meta({ description: 'Exclusive; both of created_at.' }),
    scores: z.int().meta({ description: 'By the daily tallies: all of these days.' }),
    counted_from: z.iso.datetime().meta({
      description: `Verdicts and labels below are of all scores from this time on: later than \`from\` where more than ${CROSSED_MAX} scores are reviewed, declined or labelled.`,
    }),
    outcomes: crossedSchema.meta({ description: 'Of all scores, whether a rule fired or not.' }),
    rules: z.array(
      z.object({
        code: z.string(),
        rule: z.string().meta({ description: 'Its id in the first of `rule_sets`.' }),
        rule_sets: z.array(z.string()).meta({ description: 'Rule sets in force that have it.' }),
        hits: z.int().meta({ description: 'By the daily tallies: all of these days.' }),
        outcomes: crossedSchema.meta({ description: 'Of its hits.' }),
        precision: outcomeShareSchema.nullable().meta({
          description: 'Frauds among hits that have a label; null without any.',
        }),
      }),
    ),
  })
  .meta({ id: 'RuleOutcomes' });
export type RuleOutcomesJson = z.infer<typeof ruleOutcomesSchema>;

type Parts = Pick<Api, 'databases'> & {
  readonly readOutcomes: (query: OutcomesQuery) => Promise<AnswerText>;
};

export const outcomeOperations = [
  read({
    kept: ASK_AGAIN,
    at: '/v1/rules/outcomes',
    operationId: 'readRuleOutcomes',
    summary: 'How often each rule fired, and what became of those transactions',
    description:
      'All figures are counted. An answer is up to a minute old, and labels are those that are known by then.',
    roles: ['analyst', 'operator', 'risk_officer'],
    query: ruleOutcomesParameters,
    answers: {
      200: answer(
        'Every rule of the rule sets in force, in the order in which they combine.',
        ruleOutcomesSchema,
      ),
    },
    run: ({ query }, { readOutcomes }: Parts) => readOutcomes(query),
  }),
];

export async function readRuleOutcomes(
  database: Database,
  { days, corridor }: OutcomesQuery,
  nowMs: number,
): Promise<RuleOutcomesJson> {
  const lastMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const firstMs = outcomesFromMs(days, nowMs);
  const inForce = await readInForce(database, corridor);
  const crossed = await crossHits(database, { corridor, firstMs, nowMs });
  /** How often the daily tallies count each of these outcomes. */
  const sumBy = async (outcomes: readonly string[] | null) => {
    const only = { ...ANY, corridor };
    const question = { firstMs, lastMs, outcomes, own: outcomes, by: BY_OUTCOME, only };
    const { sums } = await sumDays(database, question, SUMS_MAX);
    const counts = new Map<string, number>();
    for (const { outcome, count } of sums) {
      if (outcome !== null) counts.set(outcome, (counts.get(outcome) ?? 0) + count);
    }
    return counts;
  };
  const hits = await sumBy(null);
  const scored = await sumBy(VERDICTS);
  const scores = [...scored.values()].reduce((sum, count) => sum + count, 0);
  const codes = new Set(inForce.flatMap(({ rules }) => rules.map(({ code }) => code)));
  const isWhole = crossed.fromMs === firstMs;
  const toJson = (counts: Crossed, total: number): CrossedJson => {
    const others = sumOf(counts, 'fraud') + sumOf(counts, 'legitimate') + sumOf(counts, 'none');
    return {
      ...counts,
      approve: { ...counts.approve, none: isWhole ? Math.max(0, total - others) : null },
    };
  };
  return {
    rule_set: inForce[0]?.id ?? currentRuleSet.id,
    corridor: corridor ?? null,
    from: new Date(firstMs).toISOString(),
    to: new Date(nowMs).toISOString(),
    scores,
    counted_from: new Date(Math.min(crossed.fromMs, nowMs)).toISOString(),
    outcomes: toJson(crossed.all, scores),
    rules: [...codes].map((code) => {
      const having = inForce.filter((ruleSet) => ruleOf(ruleSet, code) !== undefined);
      const own = crossed.byCode.get(code) ?? NOTHING;
      const fraud = sumOf(own, 'fraud');
      return {
        code,
        rule: having.map((ruleSet) => ruleOf(ruleSet, code)?.id)[0] ?? code,
        rule_sets: having.map(({ id }) => id),
        hits: hits.get(code) ?? 0,
        outcomes: toJson(own, hits.get(code) ?? 0),
        precision: shareOf(fraud, fraud + sumOf(own, 'legitimate')),
      };
    }),
  };
}

/** Rule sets that decide in a corridor, the active one first; without a corridor, the build's is first. */
async function readInForce(database: Database, corridor: string | undefined) {
  if (corridor === undefined) return await listRuleSetsInForce(database);
  const { active, canary } = (await readRuleSetsInForce(database)).get(corridor) ?? {
    active: currentRuleSet,
    canary: null,
  };
  return canary === null ? [active] : [active, canary.ruleSet];
}

const ruleOf = ({ rules }: CompiledRuleSet, wanted: string) =>
  rules.find(({ code }) => code === wanted);
