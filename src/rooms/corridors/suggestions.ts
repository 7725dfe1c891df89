/** Figures of the last hour suggest what people may do about a corridor. */
import { z } from 'zod';
import { type Controls, controlOf, freezeOf, stopOf } from '../../core/domain/control.ts';

/** Figures of a corridor of the last hour. */
export type HourFigures = {
  readonly corridor: string;
  readonly scored: number;
  readonly declined: number;
  readonly deadLetters: number;
  /** The most disputes that came within 5 minutes. */
  readonly disputes: number;
  /** Open cases that meet an overflow rule of the review which suggests a throttle. */
  readonly overdue: number;
  /** Open cases that meet an overflow rule which suggests a tightening. */
  readonly waiting: number;
  /** Accepted transactions. */
  readonly perSecond: number;
  /** Accounts with a transaction in the corridor, and in any corridor. */
  readonly accounts: number;
  readonly allAccounts: number;
};

const TRIGGERS = ['disputes', 'declines', 'errors', 'overdue', 'waiting'] as const;
type Trigger = (typeof TRIGGERS)[number];
const ACTIONS = ['freeze', 'tighten', 'throttle'] as const;

/** Lower: an ordinary hour suggests something. Higher: more value leaves before people are asked. */
export const THRESHOLDS = {
  disputes: 10,
  declines: 0.25,
  errors: 0.1,
  overdue: 0,
  waiting: 0,
} as const;
/** Scores and dead letters below which a share says little. */
const LEAST = { declines: 200, errors: 20 } as const;
/** Points of a suggested tightening. */
export const SUGGESTED_POINTS = 100;
/** Share of what came that a suggested throttle lets through. */
export const THROTTLED_SHARE = 0.5;
/** Least rate of a throttle. Lower: a quiet corridor is as good as closed. Higher: corridors that quiet are not throttled. */
const PER_SECOND_MIN = 0.1;
/** Shorter: batches of ordinary clients never pass. Longer: more of a wave passes before the throttle holds. */
const BURST_SECONDS = 10;
/** Hours until a suggested control ends. The figures that suggested the control are then no longer of the last hour; a throttle lasts as long as the first policy gives cases of P2. */
const HOURS = { freeze: 2, tighten: 24, throttle: 4 } as const;
/** A throttle lets half of a wave, or of a fault, through, so cases alone suggest a throttle: people then have time for all cases. */
const ACTION_OF = {
  disputes: 'freeze',
  declines: 'tighten',
  errors: 'freeze',
  overdue: 'throttle',
  waiting: 'tighten',
} as const satisfies Record<Trigger, (typeof ACTIONS)[number]>;
/** The corridors and the share of accounts that one failure may touch. */
const BLAST_MAX = { corridors: 3, accounts: 0.1 } as const;

export const suggestionSchema = z
  .object({
    id: z.string(),
    corridor: z.string(),
    trigger: z.enum(TRIGGERS),
    found: z.number().meta({
      description: `Of the last hour: the most disputes within 5 minutes, the share of declines from ${LEAST.declines} scores on, that of dead letters from ${LEAST.errors} on, or the open cases that are older than the review allows.`,
    }),
    threshold: z.number().meta({ description: 'The value found exceeds it.' }),
    action: z.enum(ACTIONS),
    hours: z.int().meta({
      description: 'How long the control is in force once a person applies the suggestion.',
    }),
    rate_per_second: z.number().nullable().meta({
      description: 'Transactions that a throttle lets through; null: another action.',
    }),
    burst: z.int().nullable(),
    blast_radius: z
      .object({
        corridors: z.array(z.string()),
        accounts_share: z.number(),
        is_within: z
          .boolean()
          .meta({ description: 'At most 3 corridors and a tenth of accounts.' }),
      })
      .meta({ description: 'Corridors that meet the same trigger, and their share of accounts.' }),
  })
  .meta({ id: 'Suggestion' });
export type Suggestion = z.output<typeof suggestionSchema>;

/** Undefined where too little came to say. */
function foundOf(trigger: Trigger, figures: HourFigures): number | undefined {
  const { scored, declined, deadLetters, overdue, perSecond } = figures;
  if (trigger === 'disputes' || trigger === 'waiting') return figures[trigger];
  if (trigger === 'overdue') return perSecond > PER_SECOND_MIN ? overdue : undefined;
  if (trigger === 'declines') return scored < LEAST.declines ? undefined : declined / scored;
  return deadLetters < LEAST.errors ? undefined : deadLetters / (scored + deadLetters);
}

/** A rate in tenths, so that its burst is a whole number. */
function throttleOf({ perSecond }: HourFigures) {
  const tenths = Math.round(perSecond * THROTTLED_SHARE * 10) / 10;
  const rate_per_second = Math.max(PER_SECOND_MIN, tenths);
  return { rate_per_second, burst: Math.round(rate_per_second * BURST_SECONDS) };
}
const NO_RATE = { rate_per_second: null, burst: null };

/** Nothing is suggested that is in force already. */
export function suggestionsOf(figures: readonly HourFigures[], controls: Controls): Suggestion[] {
  return TRIGGERS.flatMap((trigger) => {
    const threshold = THRESHOLDS[trigger];
    const met = figures.filter((figure) => (foundOf(trigger, figure) ?? 0) > threshold);
    // An account of two corridors counts in both, so the share is an upper bound.
    const accounts = met.reduce((sum, figures) => sum + figures.accounts, 0);
    const accounts_share = Math.min(1, accounts / Math.max(1, met[0]?.allAccounts ?? 0));
    const blast_radius = {
      corridors: met.map(({ corridor }) => corridor),
      accounts_share,
      is_within: met.length <= BLAST_MAX.corridors && accounts_share <= BLAST_MAX.accounts,
    };
    const action = ACTION_OF[trigger];
    const isDone = (corridor: string) =>
      (stopOf(controls, corridor) ??
        freezeOf(controls, corridor) ??
        controlOf(controls, action, corridor)) !== undefined;
    return met
      .filter(({ corridor }) => !isDone(corridor))
      .map((figures) => ({
        id: `${trigger}:${figures.corridor}`,
        corridor: figures.corridor,
        trigger,
        found: foundOf(trigger, figures) ?? 0,
        threshold,
        action,
        hours: HOURS[action],
        ...(action === 'throttle' ? throttleOf(figures) : NO_RATE),
        blast_radius,
      }));
  });
}
