/**
 * Counts what models and rule sets of rollouts decide, for the gates of their next stage, and takes back a rule set that fails;
 * the room of models takes back models. What a worker counted since its last write is lost with the worker.
 */
import type { Database } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { SEVERE_MS, whyTakeBack } from '../score/rollout/stages.ts';
import type { CompiledRuleSet } from '../score/rules/compile-rule-set.ts';
import { baseName } from '../score/rules/derived-rule-set.ts';
import { currentRuleSet } from '../score/rules/rule-sets.ts';
import { addCounts, COUNTED, type Count, EVERYBODY } from '../store/rollouts/rollout-counts.ts';
import { RULE_SETS, takeBack } from '../store/rollouts/rollouts.ts';
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
      subject = base === currentRuleSet.id ? null : base;
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
