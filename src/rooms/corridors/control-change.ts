/** Sets a control of a scope or ends it, with its row of the audit log, in one commit. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  type Control,
  type ControlProposal,
  type Controls,
  holdOf,
  nameOf,
} from '../../core/domain/control.ts';
import {
  type ControlValue,
  type Kind,
  kindOf,
  type ValueField,
} from '../../core/domain/control-kinds.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import { marketAmount } from '../../core/domain/currency.ts';
import { changeControls, type NewControl } from '../../core/store/controls/controls.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type FieldError, InvalidFields } from '../../kit/words/field-errors.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Decider, Officer } from '../../kit/words/principal.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { requireAuthority, requireOther } from './authority.ts';
import { sayValue } from './say.ts';

const REASON_CHARS_MAX = 500;
export const reasonField = plainText(REASON_CHARS_MAX).meta({
  description: 'For colleagues and the audit log.',
});
/** Longer: people forget that the control is in force; a lasting change belongs in a rule set or a limit. */
const END_DAYS_MAX = 7;
/** Most controls of a kind in scopes that people name freely: every process reads all controls after a change, in 0.3 ms for this many. */
const CONTROLS_MAX = 1000;

/** Thresholds lose at most half, so more points than half the scale change nothing. */
const POINTS_MAX = 500;
const RATE_MIN = 0.001;
const RATE_MAX = 1_000_000;
const BURST_MAX = 10_000_000;

/** Shortest time that a burst lasts at the rate: a lease fetches quota for half of this time. */
const BURST_SECONDS_MIN = 0.1;
const burstMin = (ratePerSecond: number) =>
  Math.max(1, Math.ceil(ratePerSecond * BURST_SECONDS_MIN));

/** Fields of values, as a change names them. */
const VALUE_FIELDS = {
  points: z.int().min(1).max(POINTS_MAX).meta({
    description:
      'Of tighten: by which the thresholds of review and decline are lower; each loses at most half.',
  }),
  from_amount: marketAmount.meta({
    description:
      'Of manual, in the currency of the market, which the review policy names. Amounts from it on are not approved: in other currencies by the newest exchange rates, and any amount in a currency without one.',
  }),
  rate_per_second: z
    .number()
    .min(RATE_MIN)
    .max(RATE_MAX)
    .meta({ description: 'Of a limit or a throttle: units a second.' }),
  burst: z.int().min(1).max(BURST_MAX).meta({
    description:
      'Of a limit or a throttle: units that may come at once after a pause, at least a tenth of a second of the rate.',
  }),
} as const;

export const controlCommandSchema = z
  .strictObject({
    in_force: z
      .boolean()
      .meta({ description: 'True sets the control, false ends it.', example: true }),
    points: VALUE_FIELDS.points.optional(),
    from_amount: VALUE_FIELDS.from_amount.optional(),
    rate_per_second: VALUE_FIELDS.rate_per_second.optional(),
    burst: VALUE_FIELDS.burst.optional(),
    reason: reasonField,
    message: plainText(REASON_CHARS_MAX)
      .optional()
      .meta({ description: 'What refused clients read.' }),
    ends_at: wireTime.optional().meta({
      description: `When the control ends by itself, by Postgres’ clock; tighten, manual and throttle need it, in ${END_DAYS_MAX} days at most, and limits have none.`,
    }),
  })
  .meta({ id: 'ControlCommand' });
export type ControlCommand = z.output<typeof controlCommandSchema>;

const VALUE_NAMES = Object.keys(VALUE_FIELDS) as ValueField[];

/** @throws InvalidFields for each field that is missing or that the kind does not have, and for a wrong end */
function checkCommand(kind: Kind, command: ControlCommand): void {
  const { fields, ends } = kindOf(kind);
  const wrong: FieldError[] = [];
  const check = (pointer: string, detail: string | false | undefined) => {
    if (detail) wrong.push({ pointer: `/${pointer}`, detail });
  };
  if (!command.in_force) {
    for (const name of [...VALUE_NAMES, 'message', 'ends_at'] as const)
      check(name, command[name] !== undefined && 'must be left out where in_force is false');
  } else {
    for (const name of VALUE_NAMES) {
      const isOurs = fields.includes(name);
      if (isOurs !== (command[name] !== undefined))
        check(name, isOurs ? `is required: ${kind} has it` : `must be left out: ${kind} has none`);
    }
    check('ends_at', wrongEnd(ends, command.ends_at));
    const more = wrongValue({ ...command, from_amount: undefined });
    if (more !== undefined) wrong.push(more);
  }
  if (wrong.length > 0) throw new InvalidFields(wrong);
}

/** The fault of a value whose single fields are right. */
function wrongValue({ rate_per_second: rate, burst }: ControlValue) {
  if (rate === undefined || burst === undefined || burst >= burstMin(rate)) return undefined;
  const detail = `must be at least ${burstMin(rate)}, a tenth of a second of the rate, not ${burst}`;
  return { pointer: '/burst', detail };
}

function wrongEnd(ends: 'must' | 'may' | 'never', at: string | undefined): string | undefined {
  if (at === undefined) return ends === 'must' ? 'is required: it ends by itself' : undefined;
  if (ends === 'never') return 'must be left out: a limit lasts; throttle has an end';
  if (Date.parse(at) <= Date.now()) return `must lie in the future, not ${given(at)}`;
  if (ends === 'may' || Date.parse(at) <= Date.now() + END_DAYS_MAX * DAY_MS) return undefined;
  return `must lie within ${END_DAYS_MAX} days, not ${given(at)}`;
}

/** An amount of the market's currency, as people set it for payments in every currency. */
type MarketAmount = Required<Pick<ControlValue, 'currency' | 'amounts'>>;

/** Largest amount that the name of a rule set has room for; no payment is as large. */
const AMOUNT_MAX = 999_999_999_999_999;

/** The amount in its own currency, and in each other currency by the newest exchange rates, rounded down. */
const readMarketAmount = onlyOf<MarketAmount, [amount: string]>(
  'read-market-amount',
  `with own as (
     select policy ->> 'currency' as currency from market.review_policies order by version desc limit 1
   ), dollars as (
     (select distinct on (currency) currency, usd from market.exchange_rates
       where day <= (now() at time zone 'UTC')::date order by currency, day desc)
     union all select 'USD', 1
   )
   select own.currency,
          (select coalesce(jsonb_object_agg(other.currency, least(trunc($1::numeric * its.usd / other.usd, 2), ${AMOUNT_MAX})), '{}')
             from dollars its cross join dollars other where its.currency = own.currency)
          || jsonb_build_object(own.currency, $1::numeric) as amounts
     from own`,
);

async function makeValue(kind: Kind, command: ControlCommand, query: Query) {
  const { fields } = kindOf(kind);
  if (fields.length === 0) return null;
  const { points, from_amount: amount, rate_per_second, burst } = command;
  if (amount === undefined) return points === undefined ? { rate_per_second, burst } : { points };
  return { from_amount: Number(amount), ...(await readMarketAmount(query, amount)) };
}

type Change = {
  readonly kind: Kind;
  readonly scope: string;
  readonly command: ControlCommand;
  readonly by: Decider;
};

export type Changed = {
  readonly before: Controls;
  readonly now: Controls;
  /** The proposal that the change removed without confirming the proposal; null: none. */
  readonly replaced: ControlProposal | null;
};

/**
 * Resolves once no store of the scope is under way. A change that lets more pass, of a kind whose end takes a second person, is
 * stored as a proposal, and made when another person sends the same.
 */
export async function changeControl(
  database: Database,
  { kind, scope, command, by }: Change,
): Promise<Changed> {
  checkCommand(kind, command);
  const { in_force: isSet, reason } = command;
  const end = kindOf(kind).end(scope);
  const name = nameOf({ kind, scope });
  if (!isSet) requireAuthority(`end ${name}`, end, by);
  const value = isSet ? await makeValue(kind, command, database.query) : null;
  return await changeControls(database, scope === 'all', async (query, before, change) => {
    const known = before.inForce.get(kind)?.get(scope);
    const next: NewControl | null = isSet
      ? {
          kind,
          scope,
          value,
          reason,
          message: command.message ?? known?.message ?? null,
          ends_at: command.ends_at === undefined ? null : new Date(command.ends_at).toISOString(),
          set_by: by.name,
        }
      : null;
    const step = stepOf(known, next, by);
    if (step === 'none') return { before, now: before, replaced: null };
    if (step === 'set' && next !== null) requireRoom(before, next);
    const make = {
      set: () => next && change.set(next),
      end: () => change.end({ kind, scope }),
      propose: () => change.propose({ kind, scope }, { value, proposed_by: by.name, reason }),
      confirm: () => (next === null ? change.end({ kind, scope }) : change.set(next)),
    };
    const now = (await make[step]()) ?? before;
    await recordChange(query, by, {
      action: `control.${step}`,
      subject: name,
      before: known ?? null,
      after: next === null ? { value: null, reason } : { ...next },
    });
    return { before, now, replaced: step === 'confirm' ? null : (known?.proposal ?? null) };
  });
}

type Step = 'none' | 'set' | 'end' | 'propose' | 'confirm';

/**
 * The step by which a change is made beside the control in force.
 * @param next null: the control ends
 * @throws Failure where the change takes another person, or is weaker than a control that is only made stricter
 */
function stepOf(known: Control | undefined, next: NewControl | null, by: Officer): Step {
  if (known === undefined) return next === null ? 'none' : 'set';
  if (next === null) return endOf(known, null, by);
  const { again, isWeaker } = kindOf(known.kind);
  if (again === 'stays') return 'none';
  const isLess = isWeaker?.(known.value ?? {}, next.value ?? {}) === true;
  if (again === 'stricter' && (isLess || (next.ends_at ?? '') < (known.ends_at ?? '')))
    throw stricterAlready(known);
  if (isLess) return endOf(known, next.value, by);
  return again !== 'replaces' && isSame(known, next) ? 'none' : 'set';
}

/** @param value the weaker value; null: the control ends */
function endOf(known: Control, value: ControlValue | null, by: Officer): Step {
  const name = nameOf(known);
  const { set_by: first, proposal } = known;
  const { person } = kindOf(known.kind).end(known.scope);
  if (person === 'other')
    requireOther(by, first, `${name} was set by ${first}: another person ends it`);
  if (person !== 'second') return 'end';
  if (proposal === null || !isDeepStrictEqual(proposal.value, value)) return 'propose';
  const { proposed_by: proposer } = proposal;
  const why = `the change of ${name} was proposed by ${proposer}: another person sends it again`;
  requireOther(by, proposer, why);
  return 'confirm';
}

const isSame = (known: Control, next: NewControl) =>
  isDeepStrictEqual(known.value, next.value) &&
  known.ends_at === next.ends_at &&
  known.proposal === null;

function stricterAlready(known: Control): Failure {
  const at = `${nameOf(known)} is at ${sayValue(known.value)} until ${known.ends_at}`;
  const why = `${at}, and a change only makes it stricter or longer: end it first`;
  return new Failure('conflict', 'STRICTER_ALREADY', why);
}

/** @throws Failure where another control holds scores that the new control would let drain, or the kind has no room for a control */
function requireRoom(before: Controls, { kind, scope }: NewControl): void {
  const corridor = scope.startsWith(corridorScope(''))
    ? scope.slice(corridorScope('').length)
    : null;
  const stop = holdOf(before, corridor);
  if (kindOf(kind).drains && stop !== undefined) {
    const why = `${nameOf(stop)} keeps scores from being stored, so nothing would drain: end it first`;
    throw new Failure('conflict', 'SCOPE_STOPPED', why);
  }
  const isNamedFreely = /^(client|key|model):/.test(scope);
  if (!isNamedFreely || (before.inForce.get(kind)?.size ?? 0) < CONTROLS_MAX) return;
  const why = `a market has at most ${CONTROLS_MAX} controls of the kind ${kind}`;
  throw new Failure('conflict', 'TOO_MANY_CONTROLS', why);
}
