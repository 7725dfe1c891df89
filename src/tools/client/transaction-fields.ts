/** Fields of a submitted transaction, as a file has them. */
import { type Mapping, type Projection, projectionOf } from '../../kit/client/fields.ts';

const REQUIRED = [
  ...(['idempotency_key', 'account_id', 'merchant_id', 'amount', 'currency', 'corridor'] as const),
];

/** In the order in which they are sent. */
export const FIELDS = [
  ...REQUIRED,
  ...(['created_at', 'type', 'ip', 'device_id', 'country', 'channel', 'metadata'] as const),
];
export type Field = (typeof FIELDS)[number];

export function transactionProjection(mapping: Mapping<Field>): Projection {
  return projectionOf<Field>(mapping, {
    needed: REQUIRED.map((field) => [field]),
    toBody: (read) => {
      const values = FIELDS.map((field) => [field, read(field)] as const);
      const given = values.filter(([, value]) => value !== undefined);
      const { metadata, ...body } = Object.fromEntries(given);
      return metadata === undefined ? body : { ...body, metadata: parsedOrSame(metadata) };
    },
  });
}

/** Metadata is JSON in a cell. */
function parsedOrSame(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}
