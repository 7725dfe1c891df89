/**
 * Stages of a rollout: what a subject must have decided, for how long and how well, before it decides more. Pure: the log of
 * rollouts and counts in, the stage and what it lacks out.
 *
 *     5 % of one corridor ─▶ one corridor ─▶ the corridors of one source country ─▶ all
 */
import { z } from 'zod';
import { MINUTE_MS } from '../../../kit/words/range.ts';
import type { Rollout } from './holding.ts';

/** H8 has no gates for a region, so a corridor's hold there. */
export const STAGES: readonly Stage[] = [
  {
    stage: 'canary',
    says: '5 % of one corridor',
    dwellMinutes: 30,
    failedBelow: 0.01,
    p99BelowMs: 500,
  },
  {
    stage: 'corridor',
    says: 'one corridor',
    dwellMinutes: 120,
    failedBelow: 0.02,
    p99BelowMs: 750,
  },
  {
    stage: 'region',
    says: 'corridors of one source country',
    dwellMinutes: 240,
    failedBelow: 0.02,
    p99BelowMs: 750,
  },
];

/** Number of the stage that follows the last one with a dwell time; 0 is the number of no stage. */
const ALL = STAGES.length + 1;

export type TimedRollout = Rollout & { readonly created_at: string };
/** Percentage of the accounts that a subject decides for, by corridor. */
type Deciding = ReadonlyMap<string, number>;

/** A subject's decisions, and since when there were as many, by number of stage; null for a stage that is not reached. */
export type Progress = {
  readonly deciding: Deciding;
  readonly stage: number;
  readonly since: readonly (string | null)[];
};

/** How a subject and its corridor did, from the start of a stage on. */
export type Counts = {
  readonly corridor: string;
  /** Transactions that the subject was asked to decide. */
  readonly decided: number;
  readonly failed: number;
  /** Scores of the corridor, and how many of them took from acceptance at least so long. */
  readonly scored: number;
  readonly over500: number;
  readonly over750: number;
};

export type Stage = {
  readonly stage: 'canary' | 'corridor' | 'region';
  readonly says: string;
  /** Longer: a cure takes days to reach everybody. Shorter: trouble that takes hours to show has reached everybody. */
  readonly dwellMinutes: number;
  /** Share of decisions that fail. Larger: trouble goes on to more accounts. Smaller: a passing fault holds everybody up. */
  readonly failedBelow: number;
  /** From acceptance to the score in the corridor; as `failedBelow`. */
  readonly p99BelowMs: 500 | 750;
};

const CANARY_PERCENT_MAX = 5;
/** Fewer decisions have no 99th percentile. More: a quiet corridor goes on by overrides alone. */
const DECIDED_MIN = 100;
/** A p99 is below a time where at most this share takes the time or longer. */
const SLOW_SHARE_MAX = 0.01;

/** The engine takes a rule set back from this share of failed decisions on. Larger: failures last. Smaller: chance takes it back. */
const FAILED_SHARE_MAX = 0.05;
/** Decisions of a rule set itself that take so long are severe, whatever waits before and after them. */
export const SEVERE_MS = 2000;
/** Bad decisions that prove something. More: a rule set that always fails decides for long in a quiet corridor. Fewer: chance takes one back. */
const BAD_MIN = 3;

type Recent = Readonly<Record<'decided' | 'failed' | 'severe', number>>;

/** Payers, their currency and their regulator are those of the source country; a market groups its corridors by nothing else. */
const regionOf = (corridor: string) => corridor.slice(0, 2);

/** The least stage whose bounds hold what a subject decides. */
function leastStage(deciding: Deciding): number {
  const corridors = [...deciding.keys()];
  if (new Set(corridors.map(regionOf)).size > 1) return ALL;
  if (corridors.length > 1) return 3;
  const [percent] = deciding.values();
  if (percent === undefined) return 0;
  return percent > CANARY_PERCENT_MAX ? 2 : 1;
}

/** A subject that alone decides in a whole region or market has reached that stage, however few corridors there are. */
function reachedStage(deciding: Deciding, known: readonly string[]): number {
  const least = leastStage(deciding);
  if (least < 2 || [...deciding.values()].some((percent) => percent < 100)) return least;
  const missing = known.filter((corridor) => !deciding.has(corridor));
  if (missing.length === 0) return ALL;
  const regions = new Set([...deciding.keys()].map(regionOf));
  return missing.some((corridor) => regions.has(regionOf(corridor))) ? least : Math.max(least, 3);
}

function apply(deciding: Map<string, number>, { corridor, state, canary_percent }: Rollout): void {
  if (state === 'active') deciding.set(corridor, 100);
  else if (state === 'canary') deciding.set(corridor, canary_percent);
  else deciding.delete(corridor);
}

/** @param known corridors of the market. An emergency counts for nothing, as one person has decided it. */
export function progressOf(
  log: readonly TimedRollout[],
  subject: string,
  known: readonly string[],
): Progress {
  const deciding = new Map<string, number>();
  let stage = 0;
  const since = new Array<string | null>(ALL + 1).fill(null);
  for (const row of log) {
    if (row.subject !== subject || row.cause === 'emergency') continue;
    apply(deciding, row);
    stage = reachedStage(deciding, known);
    for (const n of since.keys()) since[n] = n <= stage ? (since[n] ?? row.created_at) : null;
  }
  return { deciding, stage, since };
}

/** The number of the stage that must have been held before these rows; undefined where they ask for no further stage. */
export function stageBefore(
  { deciding, stage }: Progress,
  rows: readonly Rollout[],
  subject: string,
): number | undefined {
  const wanted = new Map(deciding);
  for (const row of rows) if (row.subject === subject) apply(wanted, row);
  const least = leastStage(wanted);
  return least > Math.max(stage, 1) ? least - 1 : undefined;
}

export const stageNumbered = (n: number): Stage | undefined => STAGES[n - 1];

const gateSchema = z.object({
  gate: z.enum(['decided', 'failed', 'slow']).meta({
    description:
      '`decided`: transactions that it decided, at least `bound`. `failed`: share of them that it failed, below `bound`. `slow`: share of the scores of its corridors that took longer than the p99 of the stage, at most `bound`.',
  }),
  corridor: z.string().nullable().meta({ description: 'Null: all its corridors together.' }),
  value: z.number(),
  bound: z.number(),
  holds: z.boolean(),
});
type Gate = z.infer<typeof gateSchema>;

export const stageSchema = z
  .object({
    stage: z.enum(['canary', 'corridor', 'region', 'all']),
    since: z.iso.datetime(),
    ends_at: z.iso.datetime().nullable().meta({
      description: 'When its dwell time is over; null for `all`.',
    }),
    gates: z.array(gateSchema),
    refusal: z.string().nullable().meta({
      description: 'Why a proposal of the next stage is refused now, unless it has an `override`.',
    }),
  })
  .meta({ id: 'RolloutStage' });
export type StageJson = z.infer<typeof stageSchema>;

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

function gatesOf(stage: Stage, all: readonly Counts[]): Gate[] {
  const shareOf = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  const decided = all.reduce((sum, stage) => sum + stage.decided, 0);
  const isEnough = decided >= DECIDED_MIN;
  return [
    { gate: 'decided', corridor: null, value: decided, bound: DECIDED_MIN, holds: isEnough },
    ...all.flatMap(({ corridor, ...counts }): Gate[] => {
      const failed = shareOf(counts.failed, counts.decided);
      const over = stage.p99BelowMs === 500 ? counts.over500 : counts.over750;
      const slow = shareOf(over, counts.scored);
      const { failedBelow } = stage;
      const isFast = slow <= SLOW_SHARE_MAX;
      return [
        {
          gate: 'failed',
          corridor,
          value: failed,
          bound: failedBelow,
          holds: failed < failedBelow,
        },
        { gate: 'slow', corridor, value: slow, bound: SLOW_SHARE_MAX, holds: isFast },
      ];
    }),
  ];
}

function sayGate({ gate, corridor, value, bound }: Gate, { p99BelowMs }: Stage): string {
  switch (gate) {
    case 'decided':
      return `it has decided ${value} transactions, and must decide ${bound}`;
    case 'failed':
      return `${percent(value)} of its decisions in ${corridor} failed, and less than ${percent(bound)} may`;
    case 'slow':
      return `${percent(value)} of the scores in ${corridor} took ${p99BelowMs} ms or longer, and at most ${percent(bound)} may`;
  }
}

/** Says what a stage lacks. @param since null: the subject has not reached the stage */
export function lookAt(
  stage: Stage,
  since: string | null,
  counts: readonly Counts[],
  nowMs: number,
): Pick<StageJson, 'ends_at' | 'gates' | 'refusal'> {
  const dwellMs = stage.dwellMinutes * MINUTE_MS;
  const endsMs = (since === null ? nowMs : Date.parse(since)) + dwellMs;
  const gates = since === null ? [] : gatesOf(stage, counts);
  const left = Math.ceil((endsMs - nowMs) / MINUTE_MS);
  const lacks = [
    ...(left > 0 ? [`its dwell time of ${stage.dwellMinutes} min ends in ${left} min`] : []),
    ...gates.filter(({ holds }) => !holds).map((gate) => sayGate(gate, stage)),
  ];
  return {
    ends_at: new Date(endsMs).toISOString(),
    gates,
    refusal:
      lacks.length === 0
        ? null
        : `the stage ${stage.stage} (${stage.says}) comes before: ${lacks.join('; ')}`,
  };
}

/**
 * Bounds of rollouts, as requirement H8 names them: each stage's dwell time and gates, and when the engine takes a rule set back.
 * Why the engine takes a rule set back, by its last one to two minutes; undefined where the rule set stays.
 */
export function whyTakeBack({ decided, failed, severe }: Recent): string | undefined {
  if (failed >= BAD_MIN && failed >= FAILED_SHARE_MAX * decided) {
    return `of ${decided} decisions within two minutes ${failed} failed`;
  }
  if (severe >= BAD_MIN && severe > SLOW_SHARE_MAX * decided) {
    return `of ${decided} decisions within two minutes ${severe} took over ${SEVERE_MS} ms`;
  }
  return undefined;
}
