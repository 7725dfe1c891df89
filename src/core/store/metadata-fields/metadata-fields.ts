/** Declared metadata fields in Postgres, which processes read with the controls. */
import type { Query } from '../../../kit/database/pool.ts';
import { epochMs, onlyOf } from '../../../kit/database/statement.ts';
import type { FieldSlot, FieldType, MetadataFields } from '../../domain/metadata.ts';

/** An expression: the type of each declared field. */
export const FIELDS = `(select coalesce(json_object_agg(name, type order by name), '{}') from market.metadata_fields)`;
/** An expression: the slots of all fields that were ever declared, in the order of vectors. */
export const SLOTS = `(select coalesce(json_agg(json_build_object('field', field, 'type', s.type, 'kind', kind,
      'declaredAtMs', ${epochMs('f.declared_at')}) order by slot), '[]')
    from market.field_slots s left join market.metadata_fields f on f.name = s.field and f.type = s.type)`;
export type StoredFields = Readonly<Record<string, FieldType>>;

const read = onlyOf<{ fields: StoredFields }>('read-metadata-fields', `select ${FIELDS} as fields`);

export const toFields = (stored: StoredFields): MetadataFields => new Map(Object.entries(stored));

export async function readFields(query: Query): Promise<MetadataFields> {
  return toFields((await read(query)).fields);
}

const readStoredSlots = onlyOf<{ slots: readonly FieldSlot[] }>(
  'read-field-slots',
  `select ${SLOTS} as slots`,
);

export const readSlots = async (query: Query): Promise<readonly FieldSlot[]> =>
  (await readStoredSlots(query)).slots;
