/**
 * Kinds of controls: a row says everything about a kind but how the edge, a worker and the statement that stores scores act on the
 * kind. A kind that only refuses submissions or holds scores needs no code beside its row.
 */

import { z } from 'zod';
import { keysOf } from '../../kit/words/keys-of.ts';
import type { Role } from '../../kit/words/principal.ts';
import { MARKET, type ScopeForm } from './corridor.ts';
import { policySchema } from './policy.ts';

export type Authority = {
  readonly roles: readonly Role[];
  /** `other`: any person but the person who set the control. `second`: a person proposes the end, and another person confirms it. */
  readonly person: 'any' | 'other' | 'second';
};

/** Setting is safe and urgent, so one person does it alone; a whole market goes on only when a second person agrees. */
export const SETTING_ROLES: readonly Role[] = ['operator', 'risk_officer', 'admin'];
const OFFICERS: readonly Role[] = ['risk_officer', 'admin'];
const ANYBODY: Authority = { roles: SETTING_ROLES, person: 'any' };
const OFFICER: Authority = { roles: OFFICERS, person: 'any' };
const OTHER_OFFICER: Authority = { roles: OFFICERS, person: 'other' };
const SECOND_PERSON: Authority = { roles: SETTING_ROLES, person: 'second' };

export const controlValueSchema = z
  .object({
    points: z.number().optional(),
    from_amount: z.number().optional(),
    currency: z.string().optional().meta({ description: 'Of the amount of manual mode.' }),
    amounts: z.record(z.string(), z.number()).optional().meta({
      description:
        'Amounts by currency from which payments are reviewed, at the exchange rates of the time when the control was set. Payments in a currency that is missing are reviewed whatever their amount.',
    }),
    rate_per_second: z.number().optional(),
    burst: z.number().optional(),
    received_days: z.number().optional(),
    disputes: z.number().optional(),
    sources: z.array(z.string()).optional(),
    policy: policySchema.optional(),
  })
  .meta({ id: 'ControlValue' });
export type ControlValue = z.output<typeof controlValueSchema>;

export type ValueField =
  | 'points'
  | 'from_amount'
  | 'rate_per_second'
  | 'burst'
  | 'received_days'
  | 'disputes'
  | 'sources';

export type ControlKind = {
  /** The effect on a scope while a control of the kind is in force. */
  readonly says: string;
  readonly scopes: readonly ScopeForm[];
  /** Submissions of the scope are refused with the problem, and the state is a word for the scope. */
  readonly refuses?: {
    readonly problem: 'scope-stopped' | 'frozen';
    readonly state: 'frozen' | 'read-only' | 'stopped';
  };
  /** No score of the scope is stored: a market, a corridor or all of them. */
  readonly holdsScores?: true;
  /** Accepted transactions are scored meanwhile, so no control of the kind begins while another control holds scores. */
  readonly drains?: true;
  /** The level of degradation that the control sets. */
  readonly level?: 3 | 4;
  /** The unit that is counted, and refused beyond a rate. */
  readonly limits?: LimitUnit;
  /** How two people set the control: by an approval of another route, or by a change that the second confirms. Absent: one person does. */
  readonly setBy?: 'approval' | 'second';
  /** Fields of a control's value; none unless the row names some. */
  readonly fields: readonly ValueField[];
  /** Whether a control must end by itself, may (unless the row says otherwise), or lasts until somebody ends it. */
  readonly ends: 'must' | 'may' | 'never';
  /** Days after which a control that must end has ended at the latest. */
  readonly daysMax: number;
  /** The effect of another change on a control in force. `stricter`: a weaker change is refused. `lower`: a weaker change is proposed. */
  readonly again: 'replaces' | 'stays' | 'stricter' | 'lower';
  readonly isWeaker?: (known: ControlValue, next: ControlValue) => boolean;
  /** The roles that end a control, and which person with such a role. */
  readonly end: (scope: string) => Authority;
  /** Whether the people who may end a control get an event about the control. */
  readonly isTold: boolean;
};

/** Members of a row that a kind names only where it differs. */
const USUAL = {
  fields: [],
  ends: 'may',
  // Longer: people forget that the control is in force; a lasting change belongs in a rule set or a limit.
  daysMax: 7,
  again: 'replaces',
  end: (scope: string) => (scope === 'all' || scope === MARKET ? OTHER_OFFICER : ANYBODY),
  isTold: true,
} as const;
type Row = Omit<ControlKind, keyof typeof USUAL> & Partial<ControlKind>;

const aLimit = (limits: LimitUnit, says: string, scopes: readonly ScopeForm[]): Row => ({
  says,
  scopes,
  limits,
  fields: ['rate_per_second', 'burst'],
  ends: 'never',
  again: 'lower',
  isWeaker: (known, next) =>
    (next.rate_per_second ?? 0) > (known.rate_per_second ?? 0) ||
    (next.burst ?? 0) > (known.burst ?? 0),
  end: () => SECOND_PERSON,
  isTold: false,
});

/** Kinds in the order in which the edge looks for a control that refuses a submission. */
export const CONTROL_KINDS = {
  stop: {
    says: 'Submissions are refused, and what was accepted is not scored. A stopped client is refused alone; a stopped rule adds to no score, and a stopped model judges nothing.',
    scopes: ['all', 'market', 'corridor', 'client', 'rule', 'model'],
    refuses: { problem: 'scope-stopped', state: 'stopped' },
    holdsScores: true,
  },
  freeze: {
    says: 'Submissions are refused, and what was accepted is scored. Meanwhile no value is released.',
    scopes: ['market', 'corridor'],
    refuses: { problem: 'frozen', state: 'frozen' },
    drains: true,
    again: 'stays',
    end: () => OTHER_OFFICER,
  },
  'read-only': {
    says: 'Submissions are refused; in a market every other change is refused, too. What was accepted is scored.',
    scopes: ['market', 'corridor'],
    refuses: { problem: 'scope-stopped', state: 'read-only' },
    level: 3,
  },
  emergency: {
    says: 'Every flag is off; transactions are accepted and scored.',
    scopes: ['market'],
    level: 4,
  },
  off: {
    says: 'An optional capability is off: its requests are refused, or what it does waits.',
    scopes: ['flag'],
    isTold: false,
  },
  tighten: {
    says: 'Thresholds of review and decline are lower by points.',
    scopes: ['corridor'],
    fields: ['points'],
    ends: 'must',
    again: 'stricter',
    isWeaker: (known, next) => (next.points ?? 0) < (known.points ?? 0),
    end: () => OFFICER,
  },
  manual: {
    says: 'People review what would be approved, from an amount on.',
    scopes: ['corridor'],
    fields: ['from_amount'],
    ends: 'must',
    again: 'stricter',
    isWeaker: (known, next) =>
      (next.from_amount ?? 0) > (known.from_amount ?? 0) || next.currency !== known.currency,
    end: () => OFFICER,
  },
  scorecard: {
    says: 'A policy of the scorecard decides where it is rolled out. Without the control the rules decide.',
    scopes: ['model'],
    setBy: 'approval',
    ends: 'must',
    end: () => ANYBODY,
  },
  unlearnt: {
    says: 'Labels of the scope that were received in so many days before take part in no scorecard.',
    scopes: ['market', 'corridor', 'client'],
    fields: ['received_days'],
  },
  'auto-freeze': {
    says: 'The engine freezes the corridor once more transactions than `disputes` are labelled fraud within 5 minutes, by labels of `sources` that came one a request; at most once in 24 hours, until a person ends the freeze.',
    scopes: ['corridor'],
    setBy: 'second',
    fields: ['disputes', 'sources'],
    ends: 'must',
    daysMax: 90,
  },
  throttle: {
    ...aLimit(
      'transactions',
      'Transactions of the corridor are limited beside its lasting limit.',
      ['corridor'],
    ),
    ends: 'must',
    again: 'stricter',
  },
  'limit-requests': aLimit(
    'requests',
    'HTTP requests below /v1 are limited: each is 1, whatever its batch.',
    ['market', 'corridor', 'client', 'key'],
  ),
  'limit-transactions': aLimit(
    'transactions',
    'Submitted transactions are limited, repeats included.',
    ['market', 'corridor', 'client', 'key', 'each'],
  ),
  'limit-inference': aLimit(
    'inference',
    'Calls of models are limited: each model that is asked is 1 a transaction. Nothing is refused.',
    ['market', 'corridor'],
  ),
} as const satisfies Readonly<Record<string, Row>>;
export type Kind = keyof typeof CONTROL_KINDS;

export const kindOf = (kind: Kind): ControlKind => ({ ...USUAL, ...CONTROL_KINDS[kind] });
export const KIND_NAMES = keysOf(CONTROL_KINDS);

/** Units that are counted. A new unit needs a kind of control, and code that takes the quota. */
export type LimitUnit = 'requests' | 'transactions' | 'inference';
/** Units that API processes count, and units that workers count. */
export const REQUEST_UNITS: readonly LimitUnit[] = ['requests', 'transactions'];
export const WORK_UNITS: readonly LimitUnit[] = ['inference'];

export type Rate = {
  readonly ratePerSecond: number;
  /** Units that may come at once after a pause. */
  readonly burst: number;
};

export type Limit = Rate & { readonly scope: string; readonly kind: LimitUnit };
