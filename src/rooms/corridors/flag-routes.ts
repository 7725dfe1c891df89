/** `/v1/flags`: which optional capabilities are on, and turning them off and on. */
import { z } from 'zod';
import {
  FLAG_NAMES,
  FLAGS,
  type Flag,
  flagScope,
  offOf,
  type Switches,
  stopSchema,
  toStopJson,
} from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { readSwitches } from '../../core/store/switches/switches.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { DECIDING_ROLES } from './authority.ts';
import { changeScopes, checkStopFields, REASON_CHARS_MAX } from './switch-change.ts';

type Parts = Pick<Api, 'databases' | 'log'>;

const flagSchema = z
  .object({
    name: z.enum(FLAG_NAMES),
    description: z.string(),
    enabled: z.boolean(),
    off: stopSchema.nullable().meta({ description: 'What turns it off; null while it is on.' }),
  })
  .meta({ id: 'Flag' });

const commandSchema = z
  .strictObject({
    enabled: z.boolean(),
    reason: plainText(REASON_CHARS_MAX).meta({ description: 'For colleagues and the audit log.' }),
    ends_at: wireTime
      .optional()
      .meta({ description: 'When it is on again by itself, by Postgres’ clock.' }),
  })
  .superRefine((input, context) =>
    checkStopFields(!input.enabled, 'enabled is true', input, context),
  )
  .meta({ id: 'FlagCommand' });

const path = z.object({
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

const example: z.output<typeof flagSchema> = {
  name: 'shadows',
  description: FLAGS.shadows,
  enabled: false,
  off: {
    scope: 'flag:shadows',
    reason: 'the disks are busy',
    message: null,
    stopped_by: 'Ann',
    stopped_at: '2026-11-25T09:30:00.000Z',
    ends_at: null,
  },
};

export const flagOperations = [
  operation({
    method: 'get',
    at: '/v1/flags',
    operationId: 'listFlags',
    summary: 'Optional capabilities, and which are off',
    roles: ['analyst', ...DECIDING_ROLES],
    answers: {
      200: answer('Every flag.', z.object({ items: z.array(flagSchema) }), { items: [example] }),
    },
    run: async (_input, { databases: { primary } }: Parts) => {
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
    path,
    body: bodyOf(commandSchema, { enabled: false, reason: 'the disks are busy' }),
    answers: { 200: answer('The flag as it is now.', flagSchema, example) },
    run: async ({ path: { name }, body, by, c }, { databases, log }: Parts) => {
      const { enabled, reason, ends_at } = body;
      const { roles } = c.get('principal');
      const command = { stopped: !enabled, reason, ends_at };
      const { now } = await changeScopes(databases.primary, {
        scopes: [flagScope(name)],
        command,
        by,
        roles,
      });
      log.warn({ keyId: by.keyId, flag: name, command: body }, 'flag');
      return toFlag(now, name);
    },
  }),
];
