/** Declared metadata fields in Postgres, which processes read with the controls. */
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import type { FieldType, MetadataFields } from '../../domain/metadata.ts';

/** An expression: the type of each declared field. */
export const FIELDS = `(select coalesce(json_object_agg(name, type order by name), '{}') from market.metadata_fields)`;
export type StoredFields = Readonly<Record<string, FieldType>>;

const read = onlyOf<{ fields: StoredFields }>('read-metadata-fields', `select ${FIELDS} as fields`);

export const toFields = (stored: StoredFields): MetadataFields => new Map(Object.entries(stored));

export async function readFields(query: Query): Promise<MetadataFields> {
  return toFields((await read(query)).fields);
}
