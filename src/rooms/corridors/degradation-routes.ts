/** `/v1/degradation`: the level of the market and of each corridor, and setting one by hand. */
import { z } from 'zod';
import {
  corridorScope,
  EMERGENCY,
  FLAG_NAMES,
  FLAGS,
  type Flag,
  flagScope,
  levelByHand,
  offOf,
  readOnlyOf,
  readOnlyScope,
  SCOPE_CHARS_MAX,
  type Switches,
  stopSchema,
  toStopJson,
} from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { readSwitches } from '../../core/store/switches/switches.ts';
import { worse } from '../../kit/breakers/degradation.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { LEVELS } from '../../kit/words/levels.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { adviseScope } from './known-scopes.ts';
import {
  changeScopes,
  checkStopFields,
  REASON_CHARS_MAX,
  reasonField,
  stopExample,
  stopJsonOf,
} from './switch-change.ts';

const levelSchema = z
  .object({
    scope: z.string(),
    level: z.int().min(0).max(4).meta({ description: 'As this API process sees it.' }),
    sentence: z.string(),
    causes: z.array(z.string()).meta({
      description:
        'Breakers that are not closed, as `NAME:STATE`, and what is slow or fails, as `writes:US-EG:slow`.',
    }),
    by_hand: stopSchema.nullable().meta({ description: 'What people have set, if they have.' }),
  })
  .meta({ id: 'DegradationLevel' });
type LevelJson = z.output<typeof levelSchema>;

const commandSchema = z
  .strictObject({
    level: z.literal([0, 3, 4]).meta({
      description: '3: read-only. 4, of the market alone: every flag is off. 0 ends both.',
    }),
    reason: reasonField,
    message: plainText(REASON_CHARS_MAX)
      .optional()
      .meta({ description: 'What refused clients read. Not of level 0.' }),
    ends_at: wireTime
      .optional()
      .meta({ description: 'When it ends by itself, by Postgres’ clock. Not of level 0.' }),
  })
  .superRefine((input, context) => checkStopFields(input.level !== 0, 'level is 0', input, context))
  .meta({ id: 'DegradationCommand' });

const path = z.object({
  scope: z.string().max(SCOPE_CHARS_MAX).meta({
    description: '`market` or `corridor:US-EG`.',
    example: 'corridor:US-EG',
  }),
});

/** @param corridor null: the market */
function toLevel(
  switches: Switches,
  { health }: Api['guards'],
  corridor: string | null,
): LevelJson {
  const measured = corridor === null ? health.level() : health.levelOf(corridor);
  const byHand = levelByHand(switches, corridor);
  const level = worse(measured, byHand);
  const scope = byHand === 4 ? EMERGENCY : readOnlyOf(switches, corridor);
  return {
    scope: corridor === null ? 'market' : corridorScope(corridor),
    level,
    sentence: LEVELS[level],
    causes: health.causesOf(corridor),
    by_hand: stopJsonOf(switches, scope),
  };
}

const example: LevelJson = {
  scope: 'corridor:US-EG',
  level: 3,
  sentence: LEVELS[3],
  causes: [],
  by_hand: {
    ...stopExample,
    scope: 'read-only:corridor:US-EG',
    reason: 'the disks are replaced',
    message: null,
  },
};

/** @throws Problem where nothing of that name has a level */
function checkLevelScope(scope: string, corridors: ReadonlySet<string>): void {
  const names = ['market', ...[...corridors].map(corridorScope)];
  if (names.includes(scope)) return;
  throw new Problem(
    'not-found',
    `No scope with a level is called ${given(scope)}: market, or corridor:NAME of GET /v1/corridors${adviseScope(scope, names)}.`,
  );
}

/** The scopes that a command sets or ends. */
function scopesOf(scope: string, level: 0 | 3 | 4): string[] {
  if (level === 4) return [EMERGENCY];
  const readOnly = readOnlyScope(scope);
  return level === 0 && scope === 'market' ? [readOnly, EMERGENCY] : [readOnly];
}

export const degradationOperations = [
  operation({
    method: 'get',
    at: '/v1/degradation',
    operationId: 'listDegradation',
    summary: 'Levels of degradation: of the market and of each corridor',
    roles: READING_ROLES,
    answers: {
      200: answer('The market first.', z.object({ items: z.array(levelSchema) }), {
        items: [example],
      }),
    },
    run: async (_input, { databases, guards, ingest }: Api) => {
      const switches = await readSwitches(databases.primary);
      const corridors = [null, ...[...ingest.corridors()].sort()];
      return { items: corridors.map((corridor) => toLevel(switches, guards, corridor)) };
    },
  }),
  operation({
    method: 'put',
    at: '/v1/degradation/{scope}',
    operationId: 'changeDegradation',
    summary: 'Set the level of the market or of a corridor by hand, or end it',
    description:
      'Every API process acts by it within a second. What was accepted is scored. The level of the market is ended by another person than who set it.',
    roles: DECIDING_ROLES,
    path,
    body: bodyOf(commandSchema, { level: 0, reason: 'the disks are replaced' }),
    answers: { 200: answer('The level as it is now.', levelSchema, example) },
    problems: [404, 409],
    run: async ({ path: { scope }, body, by }, parts: Api) => {
      const { databases, guards, ingest, log, switches } = parts;
      checkLevelScope(scope, ingest.corridors());
      const { level, ...said } = body;
      if (level === 4 && scope !== 'market') {
        const detail = 'must be 0 or 3, not 4: only the market has an emergency';
        throw new InvalidFields([{ pointer: '/level', detail }]);
      }
      const command = { stopped: level !== 0, ...said };
      const change = { scopes: scopesOf(scope, level), command, by };
      const { now } = await changeScopes(databases.primary, change);
      // The level of this process follows from the switches that it knows.
      switches.take(now);
      log.warn({ keyId: by.keyId, scope, command: body }, 'degradation');
      const corridor = scope === 'market' ? null : scope.slice('corridor:'.length);
      return toLevel(now, guards, corridor);
    },
  }),
];

/** `/v1/flags`: which optional capabilities are on, and turning them off and on. */

const flagSchema = z
  .object({
    name: z.enum(FLAG_NAMES),
    description: z.string(),
    enabled: z.boolean(),
    off: stopSchema.nullable().meta({ description: 'What turns it off; null while it is on.' }),
  })
  .meta({ id: 'Flag' });

const flagCommandSchema = z
  .strictObject({
    enabled: z.boolean(),
    reason: reasonField,
    ends_at: wireTime
      .optional()
      .meta({ description: 'When it is on again by itself, by Postgres’ clock.' }),
  })
  .superRefine((input, context) =>
    checkStopFields(!input.enabled, 'enabled is true', input, context),
  )
  .meta({ id: 'FlagCommand' });

const flagPath = z.object({
  name: z.enum(FLAG_NAMES).meta({ description: 'The flag.', example: 'shadows' }),
});

function toFlag(switches: Switches, name: Flag): z.output<typeof flagSchema> {
  const off = offOf(switches, name);
  return {
    name,
    description: FLAGS[name],
    enabled: off === undefined,
    off: off === undefined ? null : toStopJson(off.scope, off.stop),
  };
}

const flagExample: z.output<typeof flagSchema> = {
  name: 'shadows',
  description: FLAGS.shadows,
  enabled: false,
  off: {
    ...stopExample,
    scope: 'flag:shadows',
    reason: 'the disks are busy',
    message: null,
  },
};

export const flagOperations = [
  operation({
    method: 'get',
    at: '/v1/flags',
    operationId: 'listFlags',
    summary: 'Optional capabilities, and which are off',
    roles: READING_ROLES,
    answers: {
      200: answer('Every flag.', z.object({ items: z.array(flagSchema) }), {
        items: [flagExample],
      }),
    },
    run: async (_input, { databases: { primary } }: Api) => {
      const switches = await readSwitches(primary);
      return { items: FLAG_NAMES.map((name) => toFlag(switches, name)) };
    },
  }),
  operation({
    method: 'put',
    at: '/v1/flags/{name}',
    operationId: 'changeFlag',
    summary: 'Turn an optional capability off or on',
    description:
      'Every process of the market acts by it within a second. While it is off, requests for the capability get 503 `scope-stopped`.',
    roles: DECIDING_ROLES,
    path: flagPath,
    body: bodyOf(flagCommandSchema, { enabled: false, reason: 'the disks are busy' }),
    answers: { 200: answer('The flag as it is now.', flagSchema, flagExample) },
    run: async ({ path: { name }, body, by }, { databases, log }: Api) => {
      const { enabled, reason, ends_at } = body;
      const command = { stopped: !enabled, reason, ends_at };
      const change = { scopes: [flagScope(name)], command, by };
      const { now } = await changeScopes(databases.primary, change);
      log.warn({ keyId: by.keyId, flag: name, command: body }, 'flag');
      return toFlag(now, name);
    },
  }),
];
