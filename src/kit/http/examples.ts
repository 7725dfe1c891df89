/**
 * Examples of bodies, made of examples of their members, so that the document shows the same account, person and time everywhere.
 * A schema's own `example` goes before the value of its member, and that value before the type.
 */
import type { JsonSchema } from '../words/json-schema.ts';

export type Known = {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** Values by the name of the member, for schemas that take the value and name no format. */
  readonly members: Readonly<Record<string, unknown>>;
};

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-11-20T09:30:00.000Z',
  date: '2026-11-20',
  uuid: '01a1f84a-95c0-7000-8000-00000000002a',
};
const COUNT = 3;
const SHARE = 0.25;

/** An example that the schema accepts, unless the schema has a pattern or a check that no example of its members knows. */
export function exampleOf(schema: JsonSchema, known: Known, name = ''): unknown {
  const referred = known.schemas[schema.$ref?.split('/').at(-1) ?? ''];
  if (referred !== undefined) return exampleOf(referred, known, name);
  const ways = schema.anyOf ?? schema.oneOf ?? [schema];
  const told = ways.find((way) => hasMembers(way) || (way.items && hasMembers(way.items)));
  const isNullable = ways.some(({ type }) => [type].flat().includes('null'));
  const named = Object.hasOwn(known.members, name) ? known.members[name] : undefined;
  const [own] = [
    schema.example,
    schema.examples?.[0],
    schema.const,
    ways.some((way) => takes(way, named)) ? named : undefined,
    told === undefined && isNullable ? null : undefined,
    schema.default,
    schema.enum?.[0],
  ].filter((value) => value !== undefined);
  if (own !== undefined) return own;
  const way = told ?? ways[0] ?? schema;
  return way === schema ? exampleOfType(way, known, name) : exampleOf(way, known, name);
}

/** Makes `corridor` of `corridors` and `delivery` of `deliveries`; only names of members and paths are of these two forms. */
export const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/s$/, '');

const hasMembers = ({ $ref, properties }: JsonSchema) =>
  $ref !== undefined || properties !== undefined;

function exampleOfType(schema: JsonSchema, known: Known, name: string): unknown {
  const { type, items = {}, properties = {}, required = [], minimum, maximum } = schema;
  const types = [type].flat();
  // A schema of any value takes this value, too.
  if (type === undefined) return null;
  if (types.includes('array')) return [exampleOf(items, known, singular(name))];
  if (types.includes('object')) {
    const members = Object.entries(properties).filter(([member]) => required.includes(member));
    return Object.fromEntries(
      members.map(([member, of]) => [member, exampleOf(of, known, member)]),
    );
  }
  if (types.includes('boolean')) return false;
  if (types.includes('string')) return FORMATS[schema.format ?? ''] ?? textOf(name);
  const number = types.includes('integer') ? COUNT : SHARE;
  return Math.min(maximum ?? Infinity, Math.max(minimum ?? -Infinity, number));
}

/** A person by whom something was done, a counted id, or the name in words. */
function textOf(name: string): string {
  if (name.endsWith('_by')) return 'Ann';
  return name.endsWith('_id') ? '41' : name.replaceAll('_', ' ');
}

function takes(schema: JsonSchema, value: unknown): boolean {
  const { type, enum: words, format, items, minimum = -Infinity, maximum = Infinity } = schema;
  if (typeof value === 'number' && (value < minimum || value > maximum)) return false;
  if (format !== undefined && typeof value === 'string') return false;
  if (words !== undefined) return words.some((word) => word === value);
  if (Array.isArray(value))
    return items !== undefined && value.every((element) => takes(items, element));
  const own = Number.isInteger(value) ? 'integer' : typeof value;
  return [type ?? []]
    .flat()
    .some((taken) => taken === own || (taken === 'number' && own === 'integer'));
}

/** Adds an example to each JSON body of a part of the document that has none. */
export function addExamples(part: unknown, known: Known): void {
  if (typeof part !== 'object' || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    // Events have the examples of what a webhook is sent.
    if (name === 'callbacks') continue;
    if (name === 'application/json') addExample(value, known);
    else addExamples(value, known);
  }
}

type Content = { readonly schema: JsonSchema; example?: unknown; readonly examples?: object };

function addExample(content: Content, known: Known): void {
  if (content.example !== undefined || content.examples !== undefined) return;
  content.example = exampleOf(content.schema, known);
}
