/** Bounds of rollouts, as requirement H8 names them: each stage's dwell time and gates, and when the engine takes a rule set back. */

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

export const CANARY_PERCENT_MAX = 5;
/** Fewer decisions have no 99th percentile. More: a quiet corridor goes on by overrides alone. */
export const DECIDED_MIN = 100;
/** A p99 is below a time where at most this share takes the time or longer. */
export const SLOW_SHARE_MAX = 0.01;

/** The engine takes a rule set back from this share of failed decisions on. Larger: failures last. Smaller: chance takes it back. */
const FAILED_SHARE_MAX = 0.05;
/** Decisions of a rule set itself that take so long are severe, whatever waits before and after them. */
export const SEVERE_MS = 2000;
/** Bad decisions that prove something. More: a rule set that always fails decides for long in a quiet corridor. Fewer: chance takes one back. */
const BAD_MIN = 3;

export type Recent = {
  readonly decided: number;
  readonly failed: number;
  readonly severe: number;
};

/** Why the engine takes a rule set back, by its last one to two minutes; undefined where the rule set stays. */
export function whyTakeBack({ decided, failed, severe }: Recent): string | undefined {
  if (failed >= BAD_MIN && failed >= FAILED_SHARE_MAX * decided) {
    return `of ${decided} decisions within two minutes ${failed} failed`;
  }
  if (severe >= BAD_MIN && severe > SLOW_SHARE_MAX * decided) {
    return `of ${decided} decisions within two minutes ${severe} took over ${SEVERE_MS} ms`;
  }
  return undefined;
}
