/** Stops a scope or starts it again, with its row of the audit log, in one commit. */
import { z } from 'zod';
import {
  corridorScope,
  isClientScope,
  isModel,
  MODEL,
  RULE,
  STRICTER,
  type Stop,
  type StopJson,
  type Switches,
  stopSchema,
  stricterScope,
  toStopJson,
} from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import type { Models } from '../../core/score/judge.ts';
import { currentRuleSet } from '../../core/score/rules/rule-sets.ts';
import { listRuleSetsInForce } from '../../core/store/rule-sets/rule-sets.ts';
import { changeSwitches } from '../../core/store/switches/switches.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Decider, Officer } from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { decisionOf, requireAuthority, requireOther } from './authority.ts';
import { adviseScope, noticeField } from './known-scopes.ts';

export const REASON_CHARS_MAX = 500;
export const reasonField = plainText(REASON_CHARS_MAX).meta({
  description: 'For colleagues and the audit log.',
});
/** Longer: people forget that it is in force; a lasting change belongs into a rule set or a limit. */
export const END_DAYS_MAX = 7;

/** A scope's stop as the API has it; null where the scope is not stopped. */
export function stopJsonOf({ stopped }: Switches, scope: string | undefined): StopJson | null {
  const stop = stopped.get(scope ?? '');
  return scope === undefined || stop === undefined ? null : toStopJson(scope, stop);
}

export const stopExample: StopJson = {
  scope: 'corridor:US-EG',
  reason: 'payouts fail at the bank',
  message: 'Payouts to Egypt are paused.',
  stopped_by: 'Ann',
  stopped_at: '2026-11-25T09:30:00.000Z',
  ends_at: null,
};

type StopFields = { readonly message?: string | undefined; readonly ends_at?: string | undefined };

/** Adds an issue for each field that only a stop has, and for an end that does not lie in the future. */
export function checkStopFields(
  isStop: boolean,
  otherwise: string,
  input: StopFields,
  context: z.RefinementCtx,
): void {
  const add = (path: keyof StopFields, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message, input: input[path] });
  for (const name of ['message', 'ends_at'] as const) {
    if (isStop || input[name] === undefined) continue;
    add(name, `is of a stop alone: leave it out where ${otherwise}`);
  }
  if (input.ends_at !== undefined && Date.parse(input.ends_at) <= Date.now()) {
    add('ends_at', `must lie in the future, not ${given(input.ends_at)}`);
  }
}

/** Adds an issue for an end in the past or too late. */
export function checkEnd(input: { readonly ends_at: string }, context: z.RefinementCtx): void {
  checkStopFields(true, '', input, context);
  if (Date.parse(input.ends_at) <= Date.now() + END_DAYS_MAX * 86_400_000) return;
  const message = `must lie within ${END_DAYS_MAX} days, not ${given(input.ends_at)}`;
  context.addIssue({ code: 'custom', path: ['ends_at'], message, input: input.ends_at });
}

export const switchCommandSchema = z
  .strictObject({
    stopped: z.boolean().meta({ description: 'True stops the scope, false starts it again.' }),
    reason: reasonField,
    message: plainText(REASON_CHARS_MAX)
      .optional()
      .meta({ description: 'What refused clients read. Of a stop alone.' }),
    ends_at: wireTime
      .optional()
      .meta({ description: 'When the stop ends by itself, by Postgres’ clock. Of a stop alone.' }),
  })
  .superRefine((input, context) =>
    checkStopFields(input.stopped, 'stopped is false', input, context),
  )
  .meta({ id: 'SwitchCommand' });
type SwitchCommand = z.output<typeof switchCommandSchema>;

export const switchSchema = z
  .object({
    scope: z.string(),
    version: z.int().meta({ description: 'Ascends by one a change of any scope.' }),
    stop: stopSchema.nullable().meta({ description: 'Null: the scope is not stopped.' }),
  })
  .meta({ id: 'Switch' });

export const changedSwitchSchema = switchSchema
  .extend({
    before: stopSchema.nullable().meta({
      description: 'The stop before the change; null: the scope was not stopped.',
    }),
    notice: noticeField,
  })
  .meta({ id: 'ChangedSwitch' });

/** Members that a stricter verdict has beside those of a stop. */
export type StricterFields = Pick<Stop, 'value' | 'currency' | 'amounts'>;

type Request = {
  readonly scopes: readonly string[];
  readonly command: SwitchCommand & StricterFields;
  readonly by: Decider;
};

export type Changed = { readonly before: Switches; readonly now: Switches };

/** Changes all scopes or none. A stop of what is stopped keeps the message unless it has a new one. Answered once every store of the scopes that was under way has ended, or was ended. */
export async function changeScopes(
  database: Database,
  { scopes, command, by }: Request,
): Promise<Changed> {
  for (const scope of scopes) requireAuthority(decisionOf(scope, command.stopped), by);
  return await changeSwitches(database, scopes.includes('all'), async (query, before, change) => {
    let now = before;
    for (const scope of scopes) {
      const known = before.stopped.get(scope);
      if (!command.stopped && known === undefined) continue;
      const next = toStop(command, by, known);
      if (command.stopped && known !== undefined) requireStricter(scope, known, next);
      const first = known && { scope, by: known.stopped_by };
      requireOther(decisionOf(scope, command.stopped), by, first);
      now = command.stopped ? await change.stop(scope, next) : await change.start(scope);
      await recordChange(query, by, {
        action: command.stopped ? 'switch.stop' : 'switch.start',
        subject: scope,
        before: known ?? null,
        after: now.stopped.get(scope) ?? { reason: command.reason },
      });
    }
    return { before, now };
  });
}

type NewStop = Omit<Stop, 'stopped_at'>;

function toStop(
  { reason, message, ends_at, value, currency, amounts }: Request['command'],
  by: Officer,
  known: Stop | undefined,
): NewStop {
  return {
    reason,
    message: message ?? known?.message ?? null,
    stopped_by: by.name,
    ends_at: ends_at === undefined ? null : new Date(ends_at).toISOString(),
    value,
    currency,
    amounts,
  };
}

/** @throws Failure where a stricter verdict would get weaker or end earlier, which is its end and takes the role for it */
function requireStricter(scope: string, known: Stop, next: NewStop): void {
  if (known.value === undefined || next.value === undefined) return;
  const isWeaker = scope.startsWith('manual:')
    ? next.value > known.value
    : next.value < known.value;
  const isOther = next.currency !== known.currency;
  if (!isWeaker && !isOther && (next.ends_at ?? '') >= (known.ends_at ?? '')) return;
  const value = [known.value, known.currency].filter((word) => word !== undefined).join(' ');
  const how = isOther ? 'in another currency' : 'stricter';
  const why = `${scope} is at ${value} until ${known.ends_at}, which is ${how}: start it first`;
  throw new Failure('conflict', 'STRICTER_ALREADY', why);
}

/** @throws Problem where there is no such scope, or it is no scope to stop here */
export async function checkScope(
  scope: string,
  { databases, ingest }: Pick<Api, 'databases' | 'ingest'>,
  isStop = false,
): Promise<void> {
  const corridors = ingest.corridors();
  const ruleSets = scope.startsWith(RULE)
    ? await listRuleSetsInForce(databases.primary)
    : [currentRuleSet];
  const rules = ruleSets.flatMap((ruleSet) => ruleSet.rules.map(({ code }) => RULE + code));
  const stricter = [...corridors].flatMap((corridor) =>
    STRICTER.map((kind) => stricterScope(kind, corridor)),
  );
  const started = isStop ? [] : stricter;
  const names = ['all', 'market', ...[...corridors].map(corridorScope), ...rules, ...started];
  if (names.includes(scope) || isModel(scope) || isClientScope(scope)) return;
  throw new Problem(
    'not-found',
    `No scope is called ${given(scope)}: all, market, corridor:NAME of GET /v1/corridors, client:NAME, rule:CODE of GET /v1/reason-codes, or model:NAME@VERSION of GET /v1/models${adviseScope(scope, names)}.`,
  );
}

/** @throws Problem where the scope is a model that judges nothing, as it is not registered or cannot be loaded */
export async function requireModel(scope: string, { find }: Pick<Models, 'find'>): Promise<void> {
  if (!isModel(scope)) return;
  const name = scope.slice(MODEL.length);
  const found = await find(name);
  if ('model' in found && found.model.name === name) return;
  const problem = 'problem' in found ? found.problem : `is called ${MODEL}${found.model.name} here`;
  throw new Problem('not-found', `The model ${given(name)} ${problem}.`);
}
