/** The typed catalogue: every name that an expression may read, with its type, unit and meaning. */
import { FEATURE_LIST, featuresOf } from '../../../domain/feature-schema.ts';
import type { FieldType, MetadataFields } from '../../../domain/metadata.ts';
import type { Source, ValueType } from './expression.ts';

/** Lists and metadata fields that a market has; null: any, as where an old version is compiled to verify its scores. */
export type Declared = {
  readonly lists: readonly string[] | null;
  readonly fields: MetadataFields | null;
};

export const ANYTHING_DECLARED: Declared = { lists: null, fields: null };

export type CatalogueName = {
  readonly name: string;
  readonly type: ValueType;
  readonly unit: string;
  readonly description: string;
  readonly source: Source;
};

export type Catalogue = {
  readonly names: ReadonlyMap<string, CatalogueName>;
  readonly lists: readonly string[] | null;
};

const AMOUNT_UNIT = 'currency units';
export const CURRENCY_KEY = 'currency';

/** Names of the payment itself and of the model, in every market. */
const OWN: readonly CatalogueName[] = [
  {
    name: 'corridor',
    type: 'text',
    unit: 'name',
    description: 'Corridor of the payment, as US-EG.',
    source: { at: 'input', key: 'corridor' },
  },
  {
    name: 'currency',
    type: 'text',
    unit: 'ISO 4217',
    description: 'Currency of the payment, as USD.',
    source: { at: 'input', key: CURRENCY_KEY },
  },
  {
    name: 'probability',
    type: 'number',
    unit: '0 to 1',
    description: "The deciding model's probability of fraud; missing where rules decide alone.",
    source: { at: 'probability' },
  },
];

const FIELD_PREFIX = 'metadata.';
/** Key of a declared metadata field among the inputs of a row, which is the name that expressions read. */
export const fieldKey = (field: string) => FIELD_PREFIX + field;
export const isFieldKey = (key: string) => key.startsWith(FIELD_PREFIX);

export const fieldName = (field: string, type: FieldType, description: string): CatalogueName => ({
  name: fieldKey(field),
  type,
  unit: type,
  description,
  source: { at: 'input', key: fieldKey(field) },
});

/** Metadata fields with their types, as a rule set has them. */
export const fieldNames = (fields: Readonly<Record<string, FieldType>> = {}) =>
  Object.entries(fields).map(([field, type]) => fieldName(field, type, ''));

/**
 * @param fields the metadata fields that expressions may read
 * @param schema of the features that they may read; all features, where it is none
 */
export function createCatalogue(
  fields: readonly CatalogueName[] = [],
  lists: Declared['lists'] = null,
  schema?: unknown,
): Catalogue {
  const features = (featuresOf(schema) ?? FEATURE_LIST).map(
    ({ name, unit, description }, index): CatalogueName => ({
      name,
      unit,
      description,
      source: { at: 'feature', index },
      type: unit === AMOUNT_UNIT ? 'amount' : 'number',
    }),
  );
  const all = [...fields, ...OWN, ...features];
  return { names: new Map(all.map((entry) => [entry.name, entry])), lists };
}

const LIST_PREFIX = 'in_list.';
/** Key of a list's answer among the inputs of a row: true, false, or missing where no answer was recorded. */
export const listKey = (list: string) => `${LIST_PREFIX}${list}`;
/** The list that the key is of; undefined for the key of another input. */
export const listOfKey = (key: string) =>
  key.startsWith(LIST_PREFIX) ? key.slice(LIST_PREFIX.length) : undefined;

const RATE_PREFIX = 'rate.';
/**
 * Key of an exchange rate among the inputs of a row: how many units of the payment's currency one unit of the named currency
 * bought on the day of the payment; 1 in the same currency, missing where no rate is known.
 */
export const rateKey = (currency: string) => `${RATE_PREFIX}${currency}`;
/** The currency that the rate's key names; undefined for the key of another input. */
export const currencyOfKey = (key: string) =>
  key.startsWith(RATE_PREFIX) ? key.slice(RATE_PREFIX.length) : undefined;

/** Type of a value by the name under which scores record it; undefined for a name that nothing has. */
export function typeOfKey({ names, lists }: Catalogue, key: string): ValueType | undefined {
  const list = listOfKey(key);
  if (list !== undefined) return lists === null || lists.includes(list) ? 'boolean' : undefined;
  return currencyOfKey(key) === undefined ? names.get(key)?.type : 'number';
}
