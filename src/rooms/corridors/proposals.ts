/** Figures of the last hour propose what people may do about a corridor. */
import { stricterScope } from '../../core/domain/stricter.ts';
import { freezeOf, type Switches, stopOf } from '../../core/domain/switch.ts';

/** Figures of a corridor of the last hour. */
export type HourFigures = {
  readonly corridor: string;
  readonly scored: number;
  readonly declined: number;
  readonly deadLetters: number;
  /** The most disputes that came within 5 minutes. */
  readonly disputes: number;
  /** Accounts with a transaction in the corridor, and in any corridor. */
  readonly accounts: number;
  readonly allAccounts: number;
};

export const TRIGGERS = ['disputes', 'declines', 'errors'] as const;
type Trigger = (typeof TRIGGERS)[number];
export const ACTIONS = ['freeze', 'tighten'] as const;

/** Lower: an ordinary hour proposes something. Higher: more value leaves before people are asked. */
export const THRESHOLDS = { disputes: 10, declines: 0.25, errors: 0.1 } as const;
/** Scores and dead letters below which a share says little. */
export const LEAST = { declines: 200, errors: 20 } as const;
/** Points of a proposed tightening. */
export const PROPOSED_POINTS = 100;
/** By then the figures that proposed it are no longer of the last hour. */
const HOURS = { freeze: 2, tighten: 24 } as const;
/** The corridors and the share of accounts that one failure may touch. */
const BLAST_MAX = { corridors: 3, accounts: 0.1 } as const;

export type Proposal = {
  /** `disputes:US-EG` */
  readonly id: string;
  readonly corridor: string;
  readonly trigger: Trigger;
  /** Disputes in 5 minutes, or the share of declines or errors. */
  readonly found: number;
  readonly threshold: number;
  readonly action: (typeof ACTIONS)[number];
  readonly hours: number;
  /** Corridors that meet the same trigger, and their share of accounts. */
  readonly blastRadius: {
    readonly corridors: readonly string[];
    readonly accountsShare: number;
    readonly isWithin: boolean;
  };
};

/** Undefined where too little came to say. */
function foundOf(trigger: Trigger, figures: HourFigures): number | undefined {
  const { scored, declined, deadLetters, disputes } = figures;
  if (trigger === 'disputes') return disputes;
  if (trigger === 'declines') return scored < LEAST.declines ? undefined : declined / scored;
  return deadLetters < LEAST.errors ? undefined : deadLetters / (scored + deadLetters);
}

/** Nothing is proposed that is in force already. */
export function proposalsOf(figures: readonly HourFigures[], switches: Switches): Proposal[] {
  return TRIGGERS.flatMap((trigger) => {
    const threshold = THRESHOLDS[trigger];
    const met = figures.filter((one) => (foundOf(trigger, one) ?? 0) > threshold);
    // An account of two corridors counts in both, so the share is an upper bound.
    const accounts = met.reduce((sum, one) => sum + one.accounts, 0);
    const accountsShare = Math.min(1, accounts / Math.max(1, met[0]?.allAccounts ?? 0));
    const blastRadius = {
      corridors: met.map(({ corridor }) => corridor),
      accountsShare,
      isWithin: met.length <= BLAST_MAX.corridors && accountsShare <= BLAST_MAX.accounts,
    };
    const action = trigger === 'declines' ? 'tighten' : 'freeze';
    const isDone = (corridor: string) =>
      (stopOf(switches, corridor) ?? freezeOf(switches, corridor)) !== undefined ||
      (action === 'tighten' && switches.stopped.has(stricterScope('tighten', corridor)));
    return met
      .filter(({ corridor }) => !isDone(corridor))
      .map((one) => ({
        id: `${trigger}:${one.corridor}`,
        corridor: one.corridor,
        trigger,
        found: foundOf(trigger, one) ?? 0,
        threshold,
        action,
        hours: HOURS[action],
        blastRadius,
      }));
  });
}
