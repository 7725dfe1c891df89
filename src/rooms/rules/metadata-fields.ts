/** `/v1/metadata-fields`: which members of the clients' metadata rules may read. */
import { z } from 'zod';
import {
  FIELD_BYTES_MAX,
  FIELD_NAME,
  FIELD_TYPES,
  FIELDS_MAX,
  type FieldType,
  SLOTS_MAX,
} from '../../core/domain/metadata.ts';
import { pathIn } from '../../core/domain/personal.ts';
import type { Api } from '../../core/room.ts';
import { fieldKey } from '../../core/score/rules/expression/catalogue.ts';
import { parseExpression } from '../../core/score/rules/expression/parse-expression.ts';
import { readFields, readSlots } from '../../core/store/metadata-fields/metadata-fields.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { answer, bodyOf, change, list } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';

const DESCRIPTION_CHARS_MAX = 500;

const path = z.object({
  name: z
    .string()
    .regex(FIELD_NAME, 'must begin with a letter, and have at most 40 letters, digits and _')
    .refine(
      (name) => !('problem' in parseExpression(fieldKey(name))),
      'must be no word of the language of expressions',
    )
    .meta({ description: 'The member of `metadata`, not nested.', example: 'tier' }),
});

const newFieldSchema = z
  .strictObject({
    type: z.enum(FIELD_TYPES).meta({
      description: `A text has at most ${FIELD_BYTES_MAX} bytes of UTF-8.`,
    }),
    description: plainText(DESCRIPTION_CHARS_MAX).meta({
      description: 'What it says of a payment, for who writes rules.',
      example: 'What the customer has booked: basic, gold.',
    }),
  })
  .meta({ id: 'NewMetadataField' });

const fieldSchema = newFieldSchema
  .extend({
    name: z.string().meta({ example: 'tier' }),
    declared_by: z.string(),
    declared_at: z.iso.datetime(),
  })
  .meta({ id: 'MetadataField' });
export type FieldJson = z.infer<typeof fieldSchema>;

const COLUMNS = `name, type, description, declared_by, ${timeText('declared_at')} as declared_at`;
export const listFields = rowsOf<FieldJson>(
  'list-metadata-fields',
  `select ${COLUMNS} from market.metadata_fields order by name`,
);
const lock = rowsOf(
  'lock-metadata-fields',
  'lock table market.metadata_fields in share row exclusive mode',
);
const readPersonalFields = rowsOf<{ field: string }>(
  'read-personal-fields',
  'select field from market.personal_fields order by field',
);
/** Changes of fields and this lock wait for each other until their database transactions have ended. */
const hold = rowsOf('hold-metadata-fields', 'lock table market.metadata_fields in share mode');
const write = onlyOf<FieldJson, [name: string, type: string, description: string, by: string]>(
  'write-metadata-field',
  `insert into market.metadata_fields (name, type, description, declared_by) values ($1, $2, $3, $4)
   on conflict (name) do update set description = excluded.description returning ${COLUMNS}`,
);
const remove = rowsOf<object, [name: string]>(
  'remove-metadata-field',
  'delete from market.metadata_fields where name = $1',
);
const findReader = firstOf<{ ruleSet: string }, [name: string]>(
  'find-reader-of-metadata-field',
  `select rule_set as "ruleSet" from market.rule_sets
    where state <> 'retired' and source like '%"metadata"%' and source::jsonb -> 'metadata' ? $1
    order by rule_set limit 1`,
);

/**
 * Keeps the fields that a source reads until the database transaction has ended.
 * @throws InvalidFields where a field was withdrawn since the source was checked: its rules would never fire
 */
export async function holdFields(query: Query, source: object): Promise<void> {
  const { metadata } = Object(source);
  const read = Object.entries(Object(metadata));
  if (read.length === 0) return;
  await hold(query);
  const fields = await readFields(query);
  const gone = read.filter(([name, type]) => fields.get(name) !== type);
  if (gone.length === 0) return;
  throw new InvalidFields(
    gone.map(([name]) => ({
      pointer: `/metadata/${name}`,
      detail: 'must be a metadata field of the market: it was withdrawn a moment ago',
    })),
  );
}

const refuse = (code: string, why: string): never => {
  throw new Failure('conflict', code, why);
};

/** Changes fields while nobody else does, with the row of the audit log in the same commit. */
async function changeFields(
  database: Pick<Database, 'transaction'>,
  name: string,
  by: Officer,
  work: (query: Query, before: FieldJson | null, declared: number) => Promise<FieldJson | null>,
) {
  return await database.transaction(async (query) => {
    await lock(query);
    const all = await listFields(query);
    const before = all.find((declared) => declared.name === name) ?? null;
    const after = await work(query, before, all.length);
    const action = after === null ? 'metadata.withdraw' : 'metadata.declare';
    await recordChange(query, by, { action, subject: name, before, after });
    return after ?? before ?? undefined;
  });
}

const declare = (
  database: Pick<Database, 'transaction'>,
  name: string,
  { type, description }: z.infer<typeof newFieldSchema>,
  by: Officer,
) =>
  changeFields(database, name, by, async (query, before, declared) => {
    if (before === null && declared >= FIELDS_MAX) {
      refuse('FIELDS_FULL', `a market has at most ${FIELDS_MAX} metadata fields`);
    }
    const personal = (await readPersonalFields(query)).some(
      ({ field }) => pathIn(field)[0] === name,
    );
    if (personal) {
      const why = `metadata.${name} is personal, and its values are tokens: rules ask a list for the account`;
      refuse('FIELD_PERSONAL', why);
    }
    if (before !== null && before.type !== type) {
      refuse('FIELD_KNOWN', `the field ${name} is declared as ${before.type}: withdraw it first`);
    }
    if (before === null) await refuseWithoutSlots(query, name, type);
    return await write(query, name, type, description, by.name);
  });

/** Slots are for ever, as vectors are: a name that is declared again with its type has its slots. */
async function refuseWithoutSlots(query: Query, name: string, type: FieldType): Promise<void> {
  const slots = await readSlots(query);
  const needed = type === 'number' ? 2 : 1;
  if (slots.some((slot) => slot.field === name && slot.type === type)) return;
  if (slots.length + needed <= SLOTS_MAX) return;
  const why = `the field ${name} as ${type} needs ${needed} of ${SLOTS_MAX} slots, and fields that a market ever declared have ${slots.length}: declare a name again with its type`;
  refuse('SLOTS_FULL', why);
}

/** A field that a rule set reads stays: without its values rules are silent. */
const withdraw = (database: Pick<Database, 'transaction'>, name: string, by: Officer) =>
  changeFields(database, name, by, async (query, before) => {
    if (before === null) {
      throw new Failure('not-found', 'FIELD_UNKNOWN', `no field ${given(name)} is declared`);
    }
    const reader = await findReader(query, name);
    if (reader !== undefined) {
      refuse('FIELD_READ', `${reader.ruleSet} reads ${fieldKey(name)}: retire it first`);
    }
    await remove(query, name);
    return null;
  });

const writing = { roles: ['analyst', 'risk_officer'] } as const;

export const metadataOperations = [
  list({
    roles: ['analyst', 'operator', 'risk_officer'],
    at: '/v1/metadata-fields',
    operationId: 'listMetadataFields',
    'x-command': 'metadata list',
    summary: 'Members of metadata that rules may read',
    row: fieldSchema,
    says: 'All metadata fields, by name.',
    rows: (_, { databases: { primary } }: Api) => listFields(primary.query),
  }),
  change({
    method: 'put',
    ...writing,
    at: '/v1/metadata-fields/{name}',
    operationId: 'declareMetadataField',
    'x-command': 'metadata declare',
    summary: 'Let rules read a member of metadata, or describe it anew',
    description: `At most ${FIELDS_MAX} a market. API processes act on it within a second: from then on the values of new transactions are stored with their scores. A value of another type, or a longer text, refuses no transaction: it is missing for rules. 409: another type, while the field is declared.`,
    path,
    body: bodyOf(newFieldSchema),
    answers: { 200: answer('The field.', fieldSchema) },
    run: ({ path: { name }, body, by }, { databases: { primary } }: Api) =>
      declare(primary, name, body, by),
  }),
  change({
    method: 'delete',
    ...writing,
    at: '/v1/metadata-fields/{name}',
    operationId: 'withdrawMetadataField',
    'x-command': 'metadata withdraw',
    summary: 'Store a member of metadata with scores no longer',
    description: '409: a rule set that is not retired reads it.',
    path,
    answers: { 200: answer('The field as it was.', fieldSchema) },
    run: ({ path: { name }, by }, { databases: { primary } }: Api) => withdraw(primary, name, by),
  }),
];
