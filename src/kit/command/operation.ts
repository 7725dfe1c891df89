/** Operations of the OpenAPI document, as a command line needs them: the call and its fields. */
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import type { JsonSchema } from '../words/json-schema.ts';
import { DAY_OR_TIME } from '../words/wire-time.ts';
import { integerOption, UsageError, wordOption } from './command.ts';
import { numberOption } from './options.ts';

export type Field = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'body';
  readonly isRequired: boolean;
  readonly isNullable: boolean;
  readonly isList: boolean;
  readonly description: string;
  /** The schema of one value, where the field is a list. */
  readonly schema: JsonSchema;
};

export type CalledOperation = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** Plain members of a row of the answer; none where the answer is no list. */
  readonly columns: readonly string[];
  /** The command and the action that the document gives the operation. */
  readonly command: string | undefined;
};

/** The API's document of some paths, as far as it is read here. */
type Described = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
};
type DescribedOperation = {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  readonly 'x-command'?: string;
};
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** @returns the operations by their ids */
export function readOperations(paths: ZodOpenApiPathsObject): Map<string, CalledOperation> {
  const document = createDocument({
    openapi: '3.1.0',
    info: { title: '', version: '' },
    paths,
  }) as unknown as Described; // The package's type also allows what this document never has, such as a reference in place of an operation.
  const follow = (schema: JsonSchema): JsonSchema => {
    const name = schema.$ref?.split('/').at(-1);
    return name === undefined ? schema : (document.components?.schemas?.[name] ?? {});
  };
  const fieldOf = (given: JsonSchema, named: Pick<Field, 'name' | 'in' | 'isRequired'>): Field => {
    const { anyOf = [given] } = follow(given);
    const typesOf = (way: JsonSchema) => [way.type ?? []].flat().map((type) => ({ ...way, type }));
    const ways: JsonSchema[] = anyOf.map(follow).flatMap(typesOf);
    const schema = ways.find(({ type }) => type !== 'null') ?? given;
    return {
      ...named,
      isNullable: ways.length > 1,
      isList: schema.type === 'array',
      description: given.description ?? schema.description ?? named.name.replaceAll('_', ' '),
      schema: schema.type === 'array' ? follow(schema.items ?? {}) : schema,
    };
  };
  const fieldsOf = ({ parameters = [], requestBody }: DescribedOperation) => {
    const body = follow(requestBody?.content['application/json']?.schema ?? {});
    return [
      ...parameters.map(({ name, in: where, required = false, schema }) =>
        fieldOf(schema, { name, in: where, isRequired: required }),
      ),
      ...Object.entries(body.properties ?? {}).map(([name, schema]) =>
        fieldOf(schema, { name, in: 'body', isRequired: body.required?.includes(name) === true }),
      ),
    ];
  };
  const columnsOf = ({ responses }: DescribedOperation) => {
    const [answer] = Object.values(responses);
    const { items } = follow(answer?.content?.['application/json']?.schema ?? {}).properties ?? {};
    const members = Object.entries(follow(items?.items ?? {}).properties ?? {});
    return members.filter(([, schema]) => isPlain(schema)).map(([name]) => name);
  };
  const isPlain = (schema: JsonSchema): boolean => {
    const { anyOf, type = [] } = follow(schema);
    return anyOf?.every(isPlain) ?? !['object', 'array'].some((word) => type.includes(word));
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const { operationId, summary, 'x-command': command } = described;
      const fields = new Map(fieldsOf(described).map((field) => [field.name, field]));
      const name = method.toUpperCase() as CalledOperation['method'];
      const columns = columnsOf(described);
      return [operationId, { method: name, path, summary, fields, columns, command }] as const;
    }),
  );
  return new Map(operations);
}

const PRINTABLE = /^[ -~]*$/;

/** The value of a field given as text. @throws UsageError that names it by `flag` */
export function parseField({ in: where, schema }: Field, flag: string, text: string): unknown {
  const { type, enum: words, minimum: min = -Infinity, maximum: max = Infinity } = schema;
  if (words !== undefined) {
    const word = wordOption(flag, text, words.map(String));
    return words.find((choice) => String(choice) === word);
  }
  if (type === 'integer') return integerOption(flag, text, { min, max }, 0);
  if (type === 'number') return numberOption(flag, text, { min, max });
  // A header with a character that HTTP does not allow is never sent.
  if (where === 'header' && !PRINTABLE.test(text)) {
    throw new UsageError(`${flag} must be printable ASCII, not '${text}'`);
  }
  return text;
}

/** Text of the usage about an option: its description and the values it takes. @param byDefault sent without the option */
export function describeField(field: Field, byDefault?: unknown): string {
  const { description, schema, isList, isRequired, isNullable } = field;
  const isNeeded = isRequired && !isNullable && byDefault === undefined;
  const parts = [
    description.replace(/\.$/, ''),
    schema.enum === undefined ? '' : `one of ${schema.enum.join(', ')}`,
    byDefault === undefined ? '' : `${String(byDefault)} without the option`,
    isList ? 'may be given several times' : '',
    isNeeded ? 'needed' : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** Placeholder for the value of an option in the usage. */
export function valueWord({ schema }: Field): string {
  if (schema.type === 'boolean') return '';
  if (schema.type === 'integer' || schema.type === 'number') return ' N';
  const isTime = schema.format === 'date-time' || schema.pattern === DAY_OR_TIME.source;
  return isTime ? ' TIME' : ' TEXT';
}
