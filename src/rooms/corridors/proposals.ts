/** Figures of the last hour propose what people may do about a corridor. */
import { type Limit, type Rate, throttleScope } from '../../core/domain/limit.ts';
import { freezeOf, type Switches, stopOf, stricterScope } from '../../core/domain/switch.ts';

/** Figures of a corridor of the last hour. */
export type HourFigures = {
  readonly corridor: string;
  readonly scored: number;
  readonly declined: number;
  readonly deadLetters: number;
  /** The most disputes that came within 5 minutes. */
  readonly disputes: number;
  /** Open cases that meet an overflow rule of the review which proposes a throttle. */
  readonly overdue: number;
  /** Accepted transactions. */
  readonly perSecond: number;
  /** Accounts with a transaction in the corridor, and in any corridor. */
  readonly accounts: number;
  readonly allAccounts: number;
};

export const TRIGGERS = ['disputes', 'declines', 'errors', 'overdue'] as const;
type Trigger = (typeof TRIGGERS)[number];
export const ACTIONS = ['freeze', 'tighten', 'throttle'] as const;

/** Lower: an ordinary hour proposes something. Higher: more value leaves before people are asked. */
export const THRESHOLDS = { disputes: 10, declines: 0.25, errors: 0.1, overdue: 0 } as const;
/** Scores and dead letters below which a share says little. */
export const LEAST = { declines: 200, errors: 20 } as const;
/** Points of a proposed tightening. */
export const PROPOSED_POINTS = 100;
/** Share of what came that a proposed throttle lets through. */
export const THROTTLED_SHARE = 0.5;
/** Least rate of a throttle. Lower: a quiet corridor is as good as closed. Higher: corridors that quiet are not throttled. */
const PER_SECOND_MIN = 0.1;
/** Shorter: batches of ordinary clients never pass. Longer: more of a wave passes before the throttle holds. */
const BURST_SECONDS = 10;
/** By then the figures that proposed it are no longer of the last hour; a throttle lasts as long as the first policy gives cases of P2. */
const HOURS = { freeze: 2, tighten: 24, throttle: 4 } as const;
/** A throttle lets half of a wave, or of a fault, through, so it is proposed for cases alone: people then have time for all of them. */
const ACTION_OF = {
  disputes: 'freeze',
  declines: 'tighten',
  errors: 'freeze',
  overdue: 'throttle',
} as const satisfies Record<Trigger, (typeof ACTIONS)[number]>;
/** The corridors and the share of accounts that one failure may touch. */
const BLAST_MAX = { corridors: 3, accounts: 0.1 } as const;

export type Proposal = {
  /** `disputes:US-EG` */
  readonly id: string;
  readonly corridor: string;
  readonly trigger: Trigger;
  /** Disputes in 5 minutes, the share of declines or errors, or cases. */
  readonly found: number;
  readonly threshold: number;
  readonly action: (typeof ACTIONS)[number];
  readonly hours: number;
  /** The rate that a throttle lets through; null for another action. */
  readonly rate: Rate | null;
  /** Corridors that meet the same trigger, and their share of accounts. */
  readonly blastRadius: {
    readonly corridors: readonly string[];
    readonly accountsShare: number;
    readonly isWithin: boolean;
  };
};

/** Undefined where too little came to say. */
function foundOf(trigger: Trigger, figures: HourFigures): number | undefined {
  const { scored, declined, deadLetters, disputes, overdue, perSecond } = figures;
  if (trigger === 'disputes') return disputes;
  if (trigger === 'overdue') return perSecond > PER_SECOND_MIN ? overdue : undefined;
  if (trigger === 'declines') return scored < LEAST.declines ? undefined : declined / scored;
  return deadLetters < LEAST.errors ? undefined : deadLetters / (scored + deadLetters);
}

/** A rate in tenths, so that its burst is a whole number. */
function throttleOf({ perSecond }: HourFigures): Rate {
  const tenths = Math.round(perSecond * THROTTLED_SHARE * 10) / 10;
  const ratePerSecond = Math.max(PER_SECOND_MIN, tenths);
  return { ratePerSecond, burst: Math.round(ratePerSecond * BURST_SECONDS) };
}

type InForce = { readonly switches: Switches; readonly limits: readonly Limit[] };

/** Nothing is proposed that is in force already. */
export function proposalsOf(
  figures: readonly HourFigures[],
  { switches, limits }: InForce,
): Proposal[] {
  return TRIGGERS.flatMap((trigger) => {
    const threshold = THRESHOLDS[trigger];
    const met = figures.filter((figure) => (foundOf(trigger, figure) ?? 0) > threshold);
    // An account of two corridors counts in both, so the share is an upper bound.
    const accounts = met.reduce((sum, figures) => sum + figures.accounts, 0);
    const accountsShare = Math.min(1, accounts / Math.max(1, met[0]?.allAccounts ?? 0));
    const blastRadius = {
      corridors: met.map(({ corridor }) => corridor),
      accountsShare,
      isWithin: met.length <= BLAST_MAX.corridors && accountsShare <= BLAST_MAX.accounts,
    };
    const action = ACTION_OF[trigger];
    const isDone = (corridor: string) =>
      (stopOf(switches, corridor) ?? freezeOf(switches, corridor)) !== undefined ||
      (action === 'tighten' && switches.stopped.has(stricterScope('tighten', corridor))) ||
      (action === 'throttle' && limits.some(({ scope }) => scope === throttleScope(corridor)));
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
        rate: action === 'throttle' ? throttleOf(figures) : null,
        blastRadius,
      }));
  });
}
