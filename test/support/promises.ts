/**
 * Promises of a release to other programs, a line each, so that a later release is compared by lines. A line that is gone is a
 * promise that was broken, and so is a new line that says `requires`.
 */
import type { Document, Operation, Schema } from './openapi.ts';

type Way = 'from clients' | 'to clients';
type Schemas = Document['components']['schemas'];
/** Schemas within each other that are followed. More: a schema that names itself gives no further lines. */
const DEPTH_MAX = 8;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A schema with all its alternatives, references followed. */
function alternatives(schema: Schema, schemas: Schemas): readonly Schema[] {
  const name = String(schema['$ref'] ?? '')
    .split('/')
    .at(-1);
  if (name) return alternatives(schemas[name] ?? {}, schemas);
  const ways = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])] as Schema[];
  return ways.length > 0 ? ways.flatMap((way) => alternatives(way, schemas)) : [schema];
}

/** A client may send what a request took, so each type and value is a line; an answer stays within the types that clients know. */
function linesOf(at: string, given: Schema, schemas: Schemas, way: Way, depth = 0): string[] {
  const all = alternatives(given, schemas);
  const types = [...new Set(all.flatMap(({ type }) => type ?? []))].map(String).sort();
  const values = all.flatMap((schema) => [...listOf(schema['enum']), schema['const'] ?? []].flat());
  const own =
    way === 'to clients'
      ? [`${at} is ${types.join(' or ')}`]
      : [
          ...types.map((type) => `${at} takes ${type}`),
          ...values.map((value) => `${at} takes '${value}'`),
        ];
  if (depth === DEPTH_MAX) return own;
  const inner = all.flatMap((schema) => {
    const required = listOf(schema['required']);
    const members = Object.entries(Object(schema['properties']) as Record<string, Schema>);
    const items = [...listOf(schema['prefixItems']), schema['items'] ?? []].flat() as Schema[];
    return [
      ...required.map((name) => `${at} ${way === 'to clients' ? 'has' : 'requires'} ${name}`),
      ...members.flatMap(([name, member]) =>
        linesOf(`${at}/${name}`, member, schemas, way, depth + 1),
      ),
      ...items.flatMap(({ title }, nth) => (title ? `${at}[${nth}] is named ${title}` : [])),
      ...items.flatMap((item, nth) => linesOf(`${at}[${nth}]`, item, schemas, way, depth + 1)),
    ];
  });
  return [...own, ...inner];
}

const schemaOf = (content: Operation['requestBody'] | Operation['responses'][string] | undefined) =>
  content?.content?.['application/json']?.schema ?? {};

/** The lines of `/v1` and of the bodies of webhooks. */
export function documentLines({ paths, webhooks, components: { schemas } }: Document): string[] {
  const ofPaths = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { parameters = [], requestBody, responses }]) => {
        const name = `${method} ${path}`;
        return [
          name,
          ...parameters.flatMap(({ name: parameter, in: where, required, schema }) => {
            const at = `${name} ${where} ${parameter}`;
            return [
              ...(required ? [`${name} requires ${where} ${parameter}`] : []),
              ...linesOf(at, schema ?? {}, schemas, 'from clients'),
            ];
          }),
          ...linesOf(`${name} body`, schemaOf(requestBody), schemas, 'from clients'),
          ...Object.entries(responses)
            .filter(([status]) => status.startsWith('2'))
            .flatMap(([status, response]) =>
              linesOf(`${name} ${status}`, schemaOf(response), schemas, 'to clients'),
            ),
        ];
      }),
    );
  const ofWebhooks = Object.entries(webhooks).flatMap(([name, { post }]) =>
    linesOf(`webhook ${name}`, schemaOf(post?.requestBody), schemas, 'to clients'),
  );
  return [...ofPaths, ...ofWebhooks];
}

/** The lines of a JSON Schema that stands alone. @param way `from clients` of files that later releases read */
export const schemaLines = (name: string, schema: Schema, way: Way = 'to clients') =>
  linesOf(name, schema, {}, way);

/** A line for each leaf of a value. */
export function valueLines(at: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [`${at} is ${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([name, member]) => valueLines(`${at}/${name}`, member));
}

/** Promises that are broken. */
export function findBroken(recorded: readonly string[], now: readonly string[]): string[] {
  const [were, are] = [new Set(recorded), new Set(now)];
  const isKnown = (line: string) => {
    const at = line.slice(0, line.indexOf(' requires '));
    return were.has(at) || were.has(`${at} takes object`);
  };
  return [
    ...recorded
      .filter((line) => !are.has(line) && !line.includes(' requires '))
      .map((line) => `gone: ${line}`),
    ...now
      .filter((line) => line.includes(' requires ') && !were.has(line) && isKnown(line))
      .map((line) => `new: ${line}`),
  ];
}
