/** Lists and their entries on the wire. */
import { z } from 'zod';
import { codeError } from '../../kit/words/code-error.ts';
import {
  countedId,
  countedPage,
  flagParameter,
  shown,
  timeParameter,
} from '../../kit/words/list-parameters.ts';
import { ID_CHARS_MAX, idText, reasonText } from '../../kit/words/plain-text.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { KINDS } from './value.ts';

/** Every process asks for the versions of all lists twice a second. */
export const LISTS_MAX = 100;
/** A worker has 10 MB of memory for a million. */
export const ENTRIES_MAX = 2_000_000;
/** The value of examples. */
export const DEVICE = 'device-4f2a';
const LIST = 'stolen-devices';

export const EFFECTS = ['allow', 'block', 'watch'] as const;
export type Effect = (typeof EFFECTS)[number];

/** In front of the names of lists in the schema `shared`. */
const SHARED = 'shared-';
export const isShared = (name: string): boolean => name.startsWith(SHARED);

const NAME = /^[a-z][a-z0-9_-]{0,63}$/;
export const listName = z.string().regex(
  NAME,
  codeError(
    (text) => NAME.test(text),
    'must be 1 to 64 of a to z, 0 to 9, _ and -, and begin with a letter',
  ),
);

const effect = z.enum(EFFECTS).meta({
  description:
    'What the list is for: rules decide by `in_list`. An entry of an allow list needs a second person.',
  example: 'block',
});
const kind = z.enum(KINDS).meta({
  description:
    'What values are: `address` has single addresses and networks in CIDR form; `country` is the one of the transaction; `hash` is the SHA-256, in hexadecimal, of an account, merchant or device.',
  example: 'device',
});
const value = idText(ID_CHARS_MAX);
const reason = reasonText.meta({ description: 'For colleagues and the audit log.' });

export const newListSchema = z
  .strictObject({
    name: listName
      .refine((text) => !isShared(text), `must not begin with ${SHARED}, as reference lists do`)
      .meta({ example: LIST }),
    effect,
    kind,
    description: reasonText.meta({
      description: 'What the list has, for colleagues.',
      example: 'Devices that their owners reported as stolen.',
    }),
  })
  .meta({ id: 'NewList' });
export type NewList = z.output<typeof newListSchema>;

export const listSchema = z
  .object({
    name: z.string().meta({ example: LIST }),
    effect,
    kind,
    description: z.string(),
    source: z
      .string()
      .nullable()
      .meta({ description: 'Who publishes a reference list; null for another one.' }),
    source_date: z.iso.date().nullable().meta({ description: 'As of when the source says so.' }),
    version: z.int().meta({ description: 'Ascends by one a change of entries.' }),
    open_entries: z.int().meta({
      description: 'Entries that nobody has ended, proposed and expired ones included.',
    }),
    created_by: z.string(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'ValueList' });
export type ListJson = z.infer<typeof listSchema>;

export const newEntrySchema = z
  .strictObject({
    value: value.meta({ description: 'As the kind of the list has it.', example: DEVICE }),
    reason,
    expires_at: wireTime
      .refine((text) => Date.parse(text) > Date.now(), 'must lie in the future')
      .optional()
      .meta({ description: 'When the entry ends by itself, by Postgres’ clock.' }),
  })
  .meta({ id: 'NewListEntry' });
export type NewEntry = z.output<typeof newEntrySchema>;

export const STATES = ['in_force', 'proposed', 'expired', 'ended'] as const;

export const entrySchema = z
  .object({
    entry_id: z.string(),
    list: z.string(),
    value: z.string().meta({ example: DEVICE }),
    state: z
      .enum(STATES)
      .meta({ description: '`proposed`: its import waits for a second person.' }),
    reason: z.string(),
    expires_at: z.iso.datetime().nullable(),
    added_by: z.string(),
    added_at: z.iso.datetime(),
    import_id: z.string().nullable(),
    confirmed_by: z.string().nullable(),
    valid_from: z.iso.datetime().nullable().meta({ description: 'Null: never was in force.' }),
    valid_to: z.iso.datetime().nullable().meta({ description: 'When somebody ended it.' }),
    ended_by: z.string().nullable(),
  })
  .meta({ id: 'ListEntry' });
export type EntryJson = z.infer<typeof entrySchema>;

const entryId = countedId('the id of an entry');
export const namePath = z.object({
  name: z.string().max(64).meta({ description: 'The list.', example: LIST }),
});
export const entryPath = namePath.extend({
  id: entryId.meta({ description: 'The entry.', example: '41' }),
});
export const importPath = namePath.extend({
  id: entryId.meta({ description: 'The import.', example: '3' }),
});

export const entryParameters = z
  .strictObject({
    state: z
      .enum(['in_force', 'proposed', 'all'])
      .default('in_force')
      .meta({ description: '`all` is the history.' }),
    as_of: timeParameter
      .optional()
      .meta({ description: 'Entries that were in force at this time.' }),
    value: value.optional().meta(shown(DEVICE, 'Only this value.')),
    ...countedPage,
  })
  .superRefine(({ state, as_of }, context) => {
    if (as_of === undefined || state === 'in_force') return;
    const message = 'must be in_force, or left out, beside as_of';
    context.addIssue({ code: 'custom', path: ['state'], message, input: state });
  });
export type EntryParameters = z.output<typeof entryParameters>;

export const lookupParameters = z.strictObject({
  kind: z.enum(KINDS).meta({ description: 'What the value is.', example: 'device' }),
  value: value.meta({ description: 'The value.', example: DEVICE }),
});

export const foundSchema = entrySchema.extend({ effect }).meta({ id: 'FoundListEntry' });

export const importParameters = z.strictObject({
  reason: reason.meta({ example: 'wave of November' }),
  ids_as_they_are: flagParameter.optional().meta({
    description: 'True: ids such as 4.11111E+15, which spreadsheets make of long ids, are meant.',
  }),
});

export const importSchema = z
  .object({
    import_id: z.string(),
    list: z.string(),
    state: z.enum(['in_force', 'proposed', 'ended']),
    reason: z.string(),
    rows: z.int(),
    added: z.int().meta({ description: 'The other rows were in the list.' }),
    added_by: z.string(),
    added_at: z.iso.datetime(),
    approval_id: z.string().nullable().meta({ description: 'Of an import into an allow list.' }),
    confirmed_by: z.string().nullable(),
    valid_from: z.iso.datetime().nullable(),
    ended_at: z.iso.datetime().nullable(),
    ended_by: z.string().nullable(),
  })
  .meta({ id: 'ListImport' });
export type ImportJson = z.infer<typeof importSchema>;
