/** Sets a control of a scope or ends it, with its row of the audit log, in one commit. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Control, type Controls, nameOf, stopOf } from '../../core/domain/control.ts';
import {
  type ControlKind,
  KIND_NAMES,
  type Kind,
  kindOf,
} from '../../core/domain/control-kinds.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import { marketAmount } from '../../core/domain/currency.ts';
import { LABEL_LIMITS } from '../../core/domain/label.ts';
import type { Api } from '../../core/room.ts';
import { changeControlsIn, type NewControl } from '../../core/store/controls/controls.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import { type Execute, propose, requireOther } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type FieldError, InvalidFields } from '../../kit/words/field-errors.ts';
import { keysOf } from '../../kit/words/keys-of.ts';
import { idText, reasonField, reasonText } from '../../kit/words/plain-text.ts';
import type { Decider, Officer } from '../../kit/words/principal.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { requireAuthority } from './authority.ts';
import { makeValue } from './control-value.ts';
import { REVIEW_SOURCE } from './disputes.ts';
import { sayValue } from './say.ts';

/** Most controls of a kind in scopes that people name freely: every process reads all controls after a change, in 0.3 ms for this many. */
const CONTROLS_MAX = 1000;

/** Thresholds lose at most half, so more points than half the scale change nothing. */
const POINTS_MAX = 500;
const RATE_MIN = 0.001;
const RATE_MAX = 1_000_000;
const BURST_MAX = 10_000_000;

/** A night learns from no older payments. */
const LABEL_DAYS_MAX = 180;

/** Bounds of disputes beyond which a corridor freezes by itself. Fewer: some mistaken labels close it. More: a wave ends first. */
const DISPUTES = { min: 3, max: 1000 } as const;
const SOURCES_MAX = 20;

/** Shortest time that a burst lasts at the rate: a lease fetches quota for half of this time. */
const BURST_SECONDS_MIN = 0.1;

/** Fields of values, as a change names them. */
const VALUE_FIELDS = {
  points: z.int().min(1).max(POINTS_MAX).meta({
    description:
      'Of tighten: points by which the thresholds of review and decline are lowered; each loses at most half.',
  }),
  from_amount: marketAmount.meta({
    description:
      'Of manual, in the currency of the market, which the review policy names. Payments from this amount on are not approved, converted by the newest exchange rates; nor is any payment in a currency without a rate.',
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
  received_days: z.int().min(1).max(LABEL_DAYS_MAX).meta({
    description: 'Of unlearnt: days before the control in which the labels were received.',
  }),
  disputes: z.int().min(DISPUTES.min).max(DISPUTES.max).meta({
    description:
      'Of auto-freeze: the corridor freezes on more transactions labelled fraud within 5 minutes.',
  }),
  sources: z.array(idText(LABEL_LIMITS.sourceChars)).min(1).max(SOURCES_MAX).meta({
    description: 'Of auto-freeze: sources of the labels that count.',
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
    received_days: VALUE_FIELDS.received_days.optional(),
    disputes: VALUE_FIELDS.disputes.optional(),
    sources: VALUE_FIELDS.sources.optional(),
    reason: reasonField,
    message: reasonText.optional().meta({ description: 'What refused clients read.' }),
    ends_at: wireTime.optional().meta({
      description: `When the control ends by itself, by Postgres’ clock; tighten, manual and throttle need it, within 7 days, auto-freeze within 90, and limits have none.`,
    }),
  })
  .meta({ id: 'ControlCommand' });
export type ControlCommand = z.output<typeof controlCommandSchema>;

const VALUE_NAMES = keysOf(VALUE_FIELDS);

/** @throws InvalidFields for each field that is missing or that the kind does not have, and for a wrong end */
function checkCommand(kind: Kind, command: ControlCommand): void {
  const { fields, setBy } = kindOf(kind);
  const wrong: FieldError[] = [];
  const check = (pointer: string, detail: string | false | undefined) => {
    if (detail) wrong.push({ pointer: `/${pointer}`, detail });
  };
  if (!command.in_force) {
    for (const name of [...VALUE_NAMES, 'message', 'ends_at'] as const)
      check(name, command[name] !== undefined && 'must be left out where in_force is false');
  } else if (setBy === 'approval') {
    const by = 'its approval, POST /v1/scorecard-policies';
    check('in_force', `must be false: a policy is put in force by ${by}`);
  } else {
    for (const name of VALUE_NAMES) {
      const isOurs = fields.includes(name);
      if (isOurs !== (command[name] !== undefined))
        check(name, isOurs ? `is required: ${kind} has it` : `must be left out: ${kind} has none`);
    }
    check('ends_at', wrongEnd(kindOf(kind), command.ends_at));
    const isOwn = command.sources?.includes(REVIEW_SOURCE);
    check('sources', isOwn && `must not have '${REVIEW_SOURCE}': it is no dispute`);
    const { rate_per_second: rate = 0, burst = Infinity } = command;
    const least = Math.max(1, Math.ceil(rate * BURST_SECONDS_MIN));
    const said = `must be at least ${least}, a tenth of a second of the rate, not ${burst}`;
    check('burst', burst < least && said);
  }
  if (wrong.length > 0) throw new InvalidFields(wrong);
}

function wrongEnd({ ends, daysMax }: ControlKind, at: string | undefined): string | undefined {
  if (at === undefined) return ends === 'must' ? 'is required: it ends by itself' : undefined;
  if (ends === 'never') return 'must be left out: a limit lasts; throttle has an end';
  if (Date.parse(at) <= Date.now()) return `must lie in the future, not ${given(at)}`;
  if (ends === 'may' || Date.parse(at) <= Date.now() + daysMax * DAY_MS) return undefined;
  return `must lie within ${daysMax} days, not ${given(at)}`;
}

type Change = {
  readonly kind: Kind;
  readonly scope: string;
  readonly command: ControlCommand;
  readonly by: Officer;
};

export type Changed = {
  readonly before: Controls;
  readonly now: Controls;
  /** Another person confirms the change; null: it is made. */
  readonly approval: Approval | null;
};

/** Resolves once no store of the scope is under way. A change that lets more pass, of a kind whose end takes two people, is proposed. */
export async function changeControl(
  database: Database,
  change: Change & { readonly by: Decider },
): Promise<Changed> {
  const { kind, scope, command, by } = change;
  checkCommand(kind, command);
  const end = kindOf(kind).end(scope);
  if (!command.in_force) requireAuthority(`end ${nameOf({ kind, scope })}`, end, by);
  return await database.transaction((query) => changeIn(query, database, change));
}

const askedSchema = controlCommandSchema
  .omit({ reason: true })
  .extend({ kind: z.enum(KIND_NAMES), scope: z.string(), version: z.int().nullable() });

/** Makes the change that another person confirms, of the control that was in force when somebody proposed the change. */
export const executeControl: Execute<Api> = async (query, approval, by, { databases }) => {
  const { kind, scope, version, ...asked } = checkFields(askedSchema, approval.detail);
  if (asked.ends_at !== undefined && Date.parse(asked.ends_at) <= Date.now()) {
    const why = `${nameOf({ kind, scope })} was to end at ${asked.ends_at}, which is past: withdraw it, and propose it again`;
    throw new Failure('conflict', 'CONTROL_OVER', why);
  }
  const change = { kind, scope, command: { ...asked, reason: approval.reason ?? '' }, by };
  const { now } = await changeIn(query, databases.primary, change, version);
  return { control: now.inForce.get(kind)?.get(scope) ?? null };
};

/** @param confirmed the version of the control that two people change; null: none was in force */
async function changeIn(
  query: Query,
  database: Database,
  { kind, scope, command, by }: Change,
  confirmed?: number | null,
): Promise<Changed> {
  const { in_force: isSet, reason } = command;
  const name = nameOf({ kind, scope });
  const value = isSet ? await makeValue(kind, command, database.query) : null;
  return await changeControlsIn(query, database, scope === 'all', async (before, change) => {
    const known = before.inForce.get(kind)?.get(scope);
    const made = { before, now: before, approval: null };
    const version = known?.version ?? null;
    if (confirmed !== undefined && version !== confirmed) {
      const why = `${name} has changed since somebody proposed the change: propose it again`;
      throw new Failure('conflict', 'CONTROL_CHANGED', why);
    }
    const next = isSet ? toNext({ kind, scope, command, by }, value, known) : null;
    const step = stepOf(known, next, by, confirmed !== undefined);
    if (step === 'none') return made;
    if (step === 'propose') {
      const { reason: _, ...asked } = command;
      const detail = { kind, scope, ...asked, version };
      const approval = await propose(query, { kind: 'control', subject: name, detail, reason }, by);
      return { ...made, approval };
    }
    if (next !== null) requireRoom(before, next);
    const now = next === null ? await change.end({ kind, scope }) : await change.set(next);
    await recordChange(query, by, {
      action: `control.${step}`,
      subject: name,
      before: known ?? null,
      after: next === null ? { value: null, reason } : { ...next },
    });
    return { ...made, now };
  });
}

const toNext = (
  { kind, scope, command, by }: Change,
  value: NewControl['value'],
  known: Control | undefined,
): NewControl => ({
  ...{ kind, scope, value, reason: command.reason, set_by: by.name },
  message: command.message ?? known?.message ?? null,
  ends_at: command.ends_at === undefined ? null : new Date(command.ends_at).toISOString(),
});

type Step = 'none' | 'set' | 'end' | 'propose';

/**
 * The step by which a change is made beside the control in force.
 * @param next null: the control ends
 * @throws Failure where the change takes another person, or is weaker than a control that is only made stricter
 */
function stepOf(
  known: Control | undefined,
  next: NewControl | null,
  by: Officer,
  isConfirmed: boolean,
): Step {
  if (next === null)
    return known === undefined ? 'none' : weakerStep(known, 'end', by, isConfirmed);
  const { again, isWeaker, setBy } = kindOf(next.kind);
  if (setBy === 'second' && !isConfirmed) return 'propose';
  if (known === undefined) return 'set';
  if (again === 'stays') return 'none';
  const isLess = isWeaker?.(known.value ?? {}, next.value ?? {}) === true;
  if (again === 'stricter' && (isLess || (next.ends_at ?? '') < (known.ends_at ?? '')))
    throw stricterAlready(known);
  if (isLess) return weakerStep(known, 'set', by, isConfirmed);
  return again !== 'replaces' && isSame(known, next) ? 'none' : 'set';
}

function weakerStep(known: Control, step: Step, by: Officer, isConfirmed: boolean): Step {
  const { set_by: first } = known;
  const { person } = kindOf(known.kind).end(known.scope);
  if (person === 'other')
    requireOther(by, first, `${nameOf(known)} was set by ${first}: another person ends it`);
  return person === 'second' && !isConfirmed ? 'propose' : step;
}

const isSame = (known: Control, next: NewControl) =>
  isDeepStrictEqual(known.value, next.value) && known.ends_at === next.ends_at;

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
  const stop = stopOf(before, corridor);
  if (kindOf(kind).drains && stop !== undefined) {
    const why = `${nameOf(stop)} keeps scores from being stored, so nothing would drain: end it first`;
    throw new Failure('conflict', 'SCOPE_STOPPED', why);
  }
  const isNamedFreely = /^(client|key|model):/.test(scope);
  if (!isNamedFreely || (before.inForce.get(kind)?.size ?? 0) < CONTROLS_MAX) return;
  const why = `a market has at most ${CONTROLS_MAX} controls of the kind ${kind}`;
  throw new Failure('conflict', 'TOO_MANY_CONTROLS', why);
}
