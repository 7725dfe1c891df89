/**
 * Counts what models and rule sets of rollouts decide, for the gates of their next stage, and takes back a rule set that fails;
 * the room of models takes back models. What a worker counted since its last write is lost with the worker.
 */

import type { Database } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { toError } from '../../kit/words/failure.ts';
import { type Decision, VERDICTS } from '../domain/score-record.ts';
import type { Opinion } from '../score/opinion.ts';
import { SEVERE_MS, whyTakeBack } from '../score/rollout/stages.ts';
import type { CompiledRule, CompiledRuleSet } from '../score/rules/compile-rule-set.ts';
import { baseName } from '../score/rules/derived-rule-set.ts';
import { type AnswerOf, inputsOf, recordInputs } from '../score/rules/rule-inputs.ts';
import { findBuiltIn } from '../score/rules/rule-sets.ts';
import { failedRules } from '../score/rules-in-force.ts';
import { score } from '../score/score.ts';
import { addCounts, COUNTED, type Count, EVERYBODY } from '../store/rollouts/rollout-counts.ts';
import { RULE_SETS, takeBack } from '../store/rollouts/rollouts.ts';
import type { EntryTransaction } from './decided.ts';
import { createSums } from './sums.ts';

/** Longer: what fails decides longer. Shorter: each worker writes more often. */
const WRITE_EVERY_MS = 1000;

/** Longer than a batch takes to be stored, unless Postgres is away. */
const WATCHED_MS = 60_000;

type Decisions = { readonly decided: number; readonly failed: number; readonly tookMs: number };
export type RolloutCounts = Omit<ReturnType<typeof openRolloutCounts>, 'duty'>;

type Counted = { -readonly [Name in keyof Count]: Count[Name] };

const noCounts = (subject: string, corridor: string): Counted => ({
  subject,
  corridor,
  decided: 0,
  failed: 0,
  over_500: 0,
  over_750: 0,
  severe: 0,
});

function addLater(counts: Counted, later: Count): void {
  for (const column of COUNTED) counts[column] += later[column];
}

type Parts = {
  /** Name of the process in the audit log. */
  readonly name: string;
  readonly database: Database;
  readonly log: Pick<Log, 'error'>;
  readonly metrics: Pick<Metrics, 'ruleSetRollbacks'>;
  /** Monotonic clock. */
  readonly elapsedMs?: () => number;
};

export function openRolloutCounts(parts: Parts) {
  const { name, database, log, metrics, elapsedMs = () => performance.now() } = parts;
  const sums = createSums(noCounts, addLater);
  const note = (subject: string, corridor: string, { decided, failed, tookMs }: Decisions) => {
    const counts = sums.of(subject, corridor);
    counts.decided += decided;
    counts.failed += failed;
    if (tookMs >= 500) counts.over_500 += decided;
    if (tookMs >= 750) counts.over_750 += decided;
    if (tookMs >= SEVERE_MS) counts.severe += decided;
  };
  const subjects = new WeakMap<CompiledRuleSet, string | null>();
  const ruleSets = new Set<string>();
  /** The rule set of people that a rule set is, or is derived of; null: of the build. */
  const subjectOf = (ruleSet: CompiledRuleSet) => {
    let subject = subjects.get(ruleSet);
    if (subject === undefined) {
      const base = baseName(ruleSet.id) ?? ruleSet.id;
      subject = findBuiltIn(base) === undefined ? base : null;
      subjects.set(ruleSet, subject);
      if (subject !== null) ruleSets.add(subject);
    }
    return subject;
  };
  /** Until when scores of a corridor are counted: what a rollout decides may be stored long after it. */
  const watchedUntilMs = new Map<string, number>();
  const watch = (corridor: string, nowMs: number) =>
    watchedUntilMs.set(corridor, nowMs + WATCHED_MS);
  const takeFailingBack = async ({ subject, corridor, ...recent }: Count) => {
    const why = ruleSets.has(subject) ? whyTakeBack(recent) : undefined;
    if (why === undefined) return;
    if (!(await takeBack(RULE_SETS, database, name, { corridor, subject, why }))) return;
    metrics.ruleSetRollbacks.inc({ corridor, rule_set: subject });
    log.error({ corridor, ruleSet: subject, why }, 'rule set rolled back by the engine');
  };
  return {
    note(subject: string, corridor: string, decisions: Decisions): void {
      if (decisions.decided === 0) return;
      watch(corridor, elapsedMs());
      note(subject, corridor, decisions);
    },
    /** Begins a decision of a rule set; undefined where no people rolled the rule set out. */
    begin(corridor: string, ruleSet: CompiledRuleSet): ((failed: 0 | 1) => void) | undefined {
      const subject = subjectOf(ruleSet);
      if (subject === null) return undefined;
      const beganMs = elapsedMs();
      watch(corridor, beganMs);
      return (failed) =>
        note(subject, corridor, { decided: 1, failed, tookMs: elapsedMs() - beganMs });
    },
    /** Counts a score by its time from acceptance; undefined where nothing of a rollout decides in the corridor. */
    ofCorridor: (corridor: string): ((tookMs: number) => void) | undefined =>
      (watchedUntilMs.get(corridor) ?? 0) > elapsedMs()
        ? (tookMs) => note(EVERYBODY, corridor, { decided: 1, failed: 0, tookMs })
        : undefined,
    duty: {
      name: 'rollout-counts',
      everyMs: WRITE_EVERY_MS,
      async run() {
        const recent = await sums.write((text) => addCounts(database.query, text));
        for (const column of recent ?? []) await takeFailingBack(column);
      },
    } satisfies Duty,
  };
}

/**
 * Shadows of rule sets: beside each score they decide for nobody, and flips are counted. Memory and table are bounded by shadows
 * and corridors; what a worker counted since its last write is lost with the worker.
 */
type Flips = {
  readonly rule_set: string;
  readonly corridor: string;
  scores: number;
  stricter: number;
  milder: number;
  failed: number;
  stricter_ids: string[];
  milder_ids: string[];
};

/** Transactions of each kind that are named. More: a row gets longer than anybody opens; the table refuses it. */
export const FLIP_IDS_MAX = 20;
/** Longer: flips are seen later. Shorter: each worker writes more often. */
const FLIPS_EVERY_MS = 2000;

const add = rowsOf<object, [flips: string]>(
  'add-rule-set-flips',
  `insert into market.rule_set_flips as f
          (rule_set, corridor, scores, stricter, milder, failed, stricter_ids, milder_ids)
   select rule_set, corridor, scores, stricter, milder, failed, stricter_ids, milder_ids
     from jsonb_to_recordset($1::jsonb)
          as r (rule_set text, corridor text, scores bigint, stricter bigint, milder bigint, failed bigint,
                stricter_ids uuid[], milder_ids uuid[])
    order by rule_set, corridor
   on conflict (rule_set, corridor) do update
      set scores = f.scores + excluded.scores, stricter = f.stricter + excluded.stricter,
          milder = f.milder + excluded.milder, failed = f.failed + excluded.failed, to_at = now(),
          stricter_ids = (excluded.stricter_ids || f.stricter_ids)[1:${FLIP_IDS_MAX}],
          milder_ids = (excluded.milder_ids || f.milder_ids)[1:${FLIP_IDS_MAX}]`,
);

/** A transaction that was scored. */
type Row = {
  readonly from: EntryTransaction;
  readonly vector: Float64Array;
  readonly opinion: Opinion | null;
  readonly answerOf: AnswerOf;
  /** Index among the transactions that the answers are about. */
  readonly nth: number;
};
export type Compared = {
  readonly from: EntryTransaction;
  readonly ruleSet: string;
  /** Above 0 where the shadow's verdict is stricter, below 0 where it is milder; null where the shadow failed. */
  readonly stricter: number | null;
};

const told = new WeakSet<CompiledRule>();

/** Never throws: no score fails for a shadow. */
export function compareShadow(ruleSet: CompiledRuleSet, row: Row, decided: Decision): Compared {
  const { from, vector, opinion, answerOf, nth } = row;
  const { transaction } = from;
  const compared = { from, ruleSet: baseName(ruleSet.id) ?? ruleSet.id };
  try {
    const recorded = recordInputs(ruleSet, transaction, answerOf, nth);
    const inputs = inputsOf(ruleSet, transaction, recorded);
    const { verdict } = score({ vector, ruleSet, opinion, inputs });
    if (failedRules(ruleSet).length > 0) return { ...compared, stricter: null };
    return { ...compared, stricter: VERDICTS.indexOf(verdict) - VERDICTS.indexOf(decided.verdict) };
  } catch {
    return { ...compared, stricter: null };
  }
}

export function openFlips({ query }: Pick<Database, 'query'>) {
  const sums = createSums(noFlips, addFlips);
  const duty: Duty = {
    name: 'rule-shadows',
    everyMs: FLIPS_EVERY_MS,
    async run() {
      await sums.write((text) => add(query, text));
    },
  };
  return {
    /** @param compared of scores that are stored for the first time */
    count(compared: readonly Compared[]): void {
      for (const { from, ruleSet, stricter } of compared) {
        const { transactionId, corridor } = from.transaction;
        const flips = sums.of(ruleSet, corridor);
        flips.scores++;
        if (stricter === null) flips.failed++;
        else noteFlip(flips, stricter, transactionId);
      }
    },
    duty,
  };
}

const noFlips = (ruleSet: string, corridor: string): Flips => ({
  rule_set: ruleSet,
  corridor,
  scores: 0,
  stricter: 0,
  milder: 0,
  failed: 0,
  stricter_ids: [],
  milder_ids: [],
});

function addFlips(flips: Flips, later: Flips): void {
  flips.scores += later.scores;
  flips.stricter += later.stricter;
  flips.milder += later.milder;
  flips.failed += later.failed;
  flips.stricter_ids = [...later.stricter_ids, ...flips.stricter_ids].slice(0, FLIP_IDS_MAX);
  flips.milder_ids = [...later.milder_ids, ...flips.milder_ids].slice(0, FLIP_IDS_MAX);
}

function noteFlip(flips: Flips, stricter: number, transactionId: string): void {
  if (stricter === 0) return;
  flips[stricter > 0 ? 'stricter' : 'milder']++;
  const ids = flips[stricter > 0 ? 'stricter_ids' : 'milder_ids'];
  ids.unshift(transactionId);
  if (ids.length > FLIP_IDS_MAX) ids.pop();
}

/**
 * Rules that threw: each decision counts, and the log tells each rule once with what it threw.
 * @returns whether a rule threw on the row that the rule set decided last
 */
export function noteFailures(
  { id, program, programRules }: CompiledRuleSet,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Pick<Log, 'error'> },
): boolean {
  let hasFailed = false;
  for (const { index, error } of program.failures()) {
    const rule = programRules[index];
    if (rule === undefined) continue;
    hasFailed = true;
    // Labels are bounded: people roll out few versions, each of at most RULES_MAX rules.
    metrics.ruleFailures.inc({ rule_set: baseName(id) ?? id, rule: rule.id });
    if (told.has(rule)) continue;
    told.add(rule);
    log.error({ ruleSet: id, rule: rule.id, err: toError(error).message }, 'a rule fails');
  }
  return hasFailed;
}
