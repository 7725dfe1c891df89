/** TypeScript types of a client, made from the document: one for each named schema, and the operations. */
import {
  type Content,
  type Document,
  isSelected,
  type Operation,
  type Parameter,
  type Schema,
} from './openapi.ts';

const HEAD = `/**
 * Types of the API's requests and answers. \`npm run api-types\` makes this file from the document, and git ignores it.
 */
`;

export function clientTypes({ components, paths }: Document): string {
  const schemas = Object.entries(components.schemas).flatMap(([name, schema]) =>
    isSelected(name) ? [] : `export type ${name} = ${typeOf(schema, '\n  ')};\n`,
  );
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) =>
        `  readonly '${method.toUpperCase()} ${path}': ${operationType(operation)};\n`,
    ),
  );
  const table = `/** The parameters and the body of each operation, and its JSON answer where it succeeds. */\nexport type Operations = {\n${operations.join('')}};\n`;
  return [HEAD, ...schemas, table].join('\n');
}

/** The engine's own clients ask for whole answers: they have neither the parameter `fields` nor types of parts. */
function operationType({ parameters = [], requestBody, responses }: Operation): string {
  const taken = parameters.filter(({ name }) => name !== 'fields');
  const parts = [
    ['path', fieldsOf(taken, 'path')],
    ['query', fieldsOf(taken, 'query')],
    ['body', jsonType(requestBody?.content)],
  ].flatMap(([name, type]) =>
    type === undefined ? [] : [`readonly ${name}${name === 'query' ? '?' : ''}: ${type}`],
  );
  const found = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  const answers = found.flatMap(([, { content }]) => jsonType(content) ?? []);
  const answer = [...new Set(answers)].join(' | ') || 'undefined';
  return `{ readonly call: { ${parts.join('; ')} }; readonly answer: ${answer} }`;
}

function jsonType(content: Content | undefined): string | undefined {
  const schema = content?.['application/json']?.schema;
  return schema && typeOf(schema);
}

function fieldsOf(parameters: readonly Parameter[], where: Parameter['in']): string | undefined {
  const fields = parameters
    .filter((one) => one.in === where)
    .map(({ name, required = false, schema }) =>
      required
        ? `readonly ${name}: ${typeOf(schema)}`
        : `readonly ${name}?: ${typeOf(schema)} | undefined`,
    );
  return fields.length === 0 ? undefined : `{ ${fields.join('; ')} }`;
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  ...{ string: 'string', boolean: 'boolean', integer: 'number', number: 'number', null: 'null' },
};

/** @param gap between the fields of an object */
function typeOf(schema: Schema, gap = ' '): string {
  const { $ref, enum: values, anyOf, oneOf, type } = schema;
  if (typeof $ref === 'string') return $ref.split('/').at(-1) ?? '';
  if ('const' in schema) return literal(schema['const']);
  if (Array.isArray(values)) return values.map(literal).join(' | ');
  const ways = anyOf ?? oneOf;
  if (Array.isArray(ways)) {
    const whole = ways.filter((way: Schema) => !isSelected(String(way['$ref'])));
    return whole.map((way: Schema) => typeOf(way)).join(' | ');
  }
  if (Array.isArray(type)) {
    return type.map((one: unknown) => typeOf({ ...schema, type: one }, gap)).join(' | ');
  }
  if (type === 'array') {
    const items = typeOf(Object(schema['items']));
    return items.includes(' | ') && !items.endsWith('}')
      ? `readonly (${items})[]`
      : `readonly ${items}[]`;
  }
  if (type === 'object') return objectType(schema, gap);
  return PRIMITIVES[String(type)] ?? 'unknown';
}

function objectType({ properties, required, additionalProperties }: Schema, gap: string): string {
  const needed = new Set(Array.isArray(required) ? required : []);
  const fields = Object.entries(Object(properties) as Readonly<Record<string, Schema>>).map(
    ([name, schema]) =>
      needed.has(name)
        ? `readonly ${name}: ${typeOf(schema)};`
        : `readonly ${name}?: ${typeOf(schema)} | undefined;`,
  );
  if (fields.length > 0) return `{${gap}${fields.join(gap)}${gap === ' ' ? ' ' : '\n'}}`;
  return `Readonly<Record<string, ${typeOf(Object(additionalProperties))}>>`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
