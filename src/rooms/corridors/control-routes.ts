/** `/v1/controls`: lists, sets and ends the controls of scopes. */
import { z } from 'zod';
import {
  type Control,
  type Controls,
  controlSchema,
  listControls,
  withEnvironment,
} from '../../core/domain/control.ts';
import { KIND_NAMES, type Kind, kindOf } from '../../core/domain/control-kinds.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { ENVIRONMENT } from '../../core/store/controls/watch-controls.ts';
import { countOnHold } from '../../core/store/open-rows/open-rows.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import { answer, bodyOf, change, read } from '../../kit/http/operation.ts';
import { idText } from '../../kit/words/plain-text.ts';
import { type Decider, ENGINE, foldName } from '../../kit/words/principal.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { changeControl, controlCommandSchema } from './control-change.ts';
import {
  checkScope,
  isChosen,
  namesOf,
  noticeField,
  noticeOf,
  saysOfFlags,
} from './control-scopes.ts';

/** The table refuses longer names. */
const SCOPE_CHARS_MAX = 80;

const kindField = z.enum(KIND_NAMES).meta({ description: 'The kind.', example: 'stop' });
/** A scope is normalised as ids are, since the scope of a client has any name that a client may have. */
const scopeField = idText(SCOPE_CHARS_MAX).meta({
  description: 'The scope, as `kinds` of `GET /v1/controls` lists them by kind.',
  example: 'corridor:US-EG',
});
export const controlPath = z.object({ kind: kindField, scope: scopeField });

const kindSchema = z
  .object({
    kind: z.enum(KIND_NAMES),
    says: z.string().meta({ description: 'The effect while a control of the kind is in force.' }),
    scopes: z.array(z.object({ scope: z.string(), says: z.string().nullable() })),
    forms: z
      .array(z.string())
      .meta({ description: 'Beginnings of scopes whose names are free, as `client:`.' }),
    state: z.string().nullable().meta({
      description: 'The state of a scope whose submissions are refused; null: none is refused.',
    }),
    fields: z.array(z.string()).meta({ description: 'Fields that a change needs.' }),
    set_by: z.enum(['approval', 'person']).meta({ description: 'Whether two people set it.' }),
    ends: z.enum(['must', 'may', 'never']).meta({ description: 'Whether a control has an end.' }),
  })
  .meta({ id: 'KindOfControl' });

const listedSchema = controlSchema
  .extend({
    ended_by: z.string().meta({ description: 'Who ends the control.' }),
    may_end: z.boolean().meta({ description: 'Whether the person who asks may end the control.' }),
  })
  .meta({ id: 'ListedControl' });

const controlsSchema = z
  .object({
    market: z.string(),
    version: z.int(),
    items: z.array(listedSchema),
    on_hold: z.array(z.object({ corridor: z.string(), transactions: z.int() })).meta({
      description: 'Accepted transactions that leave no score until their control has ended.',
    }),
    kinds: z.array(kindSchema),
  })
  .meta({ id: 'Controls' });

const filters = z.strictObject({
  kind: kindField.optional().meta({ description: 'The kind.', example: 'stop' }),
  scope: scopeField.optional().meta({ description: 'The scope.', example: 'corridor:US-EG' }),
});

const changedSchema = z
  .object({
    version: z.int(),
    control: controlSchema.nullable().meta({ description: 'Null: none is in force.' }),
    before: controlSchema.nullable().meta({ description: 'The control before the change.' }),
    approval: approvalSchema.nullable().meta({
      description: 'Another person confirms the change; null: it is made.',
    }),
    notice: noticeField,
  })
  .meta({ id: 'ChangedControl' });

function toKind(kind: Kind, parts: Pick<Api, 'ingest'>): z.output<typeof kindSchema> {
  const { says, scopes, fields, setBy, ends, refuses } = kindOf(kind);
  return {
    kind,
    says,
    scopes: scopes
      .flatMap((form) => namesOf(form, parts))
      .map((scope) => ({ scope, says: saysOfFlags.get(scope) ?? null })),
    forms: scopes.filter(isChosen).map((form) => `${form}:`),
    state: refuses?.state ?? null,
    fields: [...fields],
    set_by: setBy === undefined ? 'person' : 'approval',
    ends,
  };
}

function toListed(control: Control, by: Decider): z.output<typeof listedSchema> {
  const { roles, person } = kindOf(control.kind).end(control.scope);
  const isOther = foldName(by.name) !== foldName(control.set_by);
  const isPersons = control.set_by !== ENGINE;
  const who = roles.join(', ').replace(/, ([^,]*)$/, ' or $1');
  const ended_by =
    person === 'other' && isPersons
      ? `another person than ${control.set_by} with the role ${who}`
      : person === 'second'
        ? `a person with the role ${who}, once another person confirms it`
        : `one person with the role ${who}`;
  const may_end =
    control.set_by !== ENVIRONMENT &&
    roles.some((role) => by.roles.has(role)) &&
    (person !== 'other' || isOther);
  return { ...control, ended_by, may_end };
}

export const controlOperations = [
  read({
    at: '/v1/controls',
    operationId: 'listControls',
    summary: 'Controls in force, and the kinds of controls',
    roles: READING_ROLES,
    query: filters,
    answers: { 200: answer('Every control in force, and what waits for it.', controlsSchema) },
    run: async ({ query: { kind, scope }, by }, parts: Api) => {
      const { primary } = parts.databases;
      const [stored, onHold] = await Promise.all([
        readControls(primary),
        countOnHold(primary.query),
      ]);
      const all = withEnvironment(stored, parts.controls.ofEnvironment);
      return {
        market: parts.config.RISK_MARKET,
        version: all.version,
        items: listControls(all)
          .filter((control) => kind === undefined || control.kind === kind)
          .filter((control) => scope === undefined || control.scope === scope)
          .map((control) => toListed(control, by)),
        on_hold: [...onHold].map(([corridor, transactions]) => ({ corridor, transactions })),
        kinds: KIND_NAMES.map((name) => toKind(name, parts)),
      };
    },
  }),
  change({
    method: 'put',
    at: '/v1/controls/{kind}/{scope}',
    operationId: 'changeControl',
    summary: 'Set a control of a scope, or end it',
    description: `From the answer on no score of a stopped corridor or market is stored, and every process acts on the control within a second. What was accepted waits for the end of a stop, and is scored then. A control of a market is ended by another person than who set it. A higher limit, or the end of a limit, holds once another person confirms the \`approval\` of the answer. What \`tighten\`, \`manual\` and \`throttle\` set is only made stricter or longer, and a frozen scope stays as it is.`,
    roles: DECIDING_ROLES,
    path: controlPath,
    body: bodyOf(controlCommandSchema),
    answers: { 200: answer('The control as it is now, and as it was.', changedSchema) },
    problems: [404],
    run: async ({ path: { kind, scope }, body: command, by }, parts: Api) => {
      const { databases, controls, log } = parts;
      const isSet = command.in_force;
      await checkScope({ kind, scope, isSet }, parts);
      const change = { kind, scope, command, by };
      const { before, now, approval } = await changeControl(databases.primary, change);
      controls.take(now);
      log.warn({ keyId: by.keyId, kind, scope, command }, 'control');
      const ownOf = (stored: Controls) =>
        withEnvironment(stored, controls.ofEnvironment).inForce.get(kind)?.get(scope) ?? null;
      // A control in force ends even if its model can no longer be loaded; where none was in force, the name may be wrong.
      if (!isSet && ownOf(before) === null) await checkScope({ kind, scope, isSet: true }, parts);
      return {
        version: now.version,
        control: ownOf(now),
        before: ownOf(before),
        approval,
        notice: isSet ? await noticeOf(scope, databases.primary) : null,
      };
    },
  }),
];
