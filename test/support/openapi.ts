/** The document of the API, as tests use it: its operations, and a validator of its schemas. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { loadDocument } from '../../src/main/document.ts';

export type Schema = Readonly<Record<string, unknown>>;
export type MediaType = {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
};
export type Content = Readonly<Record<string, MediaType>>;
export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema: Schema;
};
export type ResponseHeader = { readonly required?: boolean; readonly schema: Schema };
export type Answer = {
  readonly description: string;
  readonly headers: Readonly<Record<string, ResponseHeader>>;
  readonly content?: Content;
};
export type Operation = {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly 'x-own-client-alone'?: readonly string[];
  readonly 'x-writes-nothing'?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  /** References are followed. */
  readonly responses: Record<string, Answer>;
};
export type Document = {
  readonly openapi: string;
  readonly info: { readonly description: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly webhooks: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, Schema>;
    readonly headers: Record<string, ResponseHeader>;
    readonly responses: Record<string, Answer>;
  };
};
export type OpenApi = {
  readonly document: Document;
  readonly operations: readonly {
    readonly method: string;
    readonly path: string;
    readonly operation: Operation;
  }[];
  readonly validator: (schema: object) => ValidateFunction;
};

export async function readOpenApi(url: string): Promise<OpenApi> {
  return openApiOf((await (await fetch(`${url}/openapi.json`)).json()) as Document);
}

/** The document of all routes, as the API serves it. */
export async function documentOfRoutes(): Promise<Document> {
  return JSON.parse(JSON.stringify(await loadDocument()));
}

export function openApiOf(served: Document): OpenApi {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'api', ...closed(served) });
  const document = { ...served, paths: withAnswers(served) };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const compiled = new Map<string, ValidateFunction>();
  const validator = (schema: object) => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
    const validate = compiled.get(text) ?? ajv.compile(closed(JSON.parse(text)));
    compiled.set(text, validate);
    return validate;
  };
  return { document, operations, validator };
}

/** Whether a schema, by its name or reference, is of what an answer has with `fields`. */
export const isSelected = (name: string): boolean => name.endsWith('Selected');

/** The schema of an answer to a path: without `fields` the answer must be whole. */
export function schemaOf({ content }: Answer, type: string, path: string): Schema | undefined {
  const schema = content?.[type]?.schema;
  return schema === undefined || path.includes('fields=') ? schema : wholeOnly(schema);
}

const wholeOnly = (schema: Schema): Schema =>
  JSON.parse(JSON.stringify(schema), (_, part) =>
    Array.isArray(part?.anyOf)
      ? { ...part, anyOf: part.anyOf.filter((way: Schema) => !isSelected(String(way['$ref']))) }
      : part,
  );

/** The document leaves answers open for members of later releases; a test finds members that it does not list. */
function closed<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, part) =>
    part?.type === 'object' && part.properties !== undefined
      ? { additionalProperties: false, ...part }
      : part,
  );
}

/** Paths whose answers and their headers are no references. */
function withAnswers({ paths, components }: Document): Document['paths'] {
  const follow = <T extends object>(value: T, among: Readonly<Record<string, T>>): T =>
    '$ref' in value ? (among[String(value.$ref).split('/').at(-1) ?? ''] ?? value) : value;
  const resolved = (answer: Answer): Answer => {
    const found = follow(answer, components.responses);
    const headers = Object.entries(found.headers ?? {}).map(([name, header]) => [
      name,
      follow(header, components.headers),
    ]);
    return { ...found, headers: Object.fromEntries(headers) };
  };
  const each = <T, R>(record: Readonly<Record<string, T>>, change: (value: T) => R) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
  return each(paths, (methods) =>
    each(methods, (operation) => ({
      ...operation,
      responses: each(operation.responses, resolved),
    })),
  );
}

/** Values of a body of lines; any other body is one text. */
export async function readLines(type: string, response: Response): Promise<unknown[]> {
  const text = await response.text();
  if (!type.endsWith('ndjson')) return [text];
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** The documented path that a concrete one is an instance of; literal segments win over parameters. */
export function documentedPath(openApi: OpenApi, path: string): string {
  const [plain = ''] = path.split('?');
  const matching = Object.keys(openApi.document.paths).filter((pattern) =>
    new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain),
  );
  return matching.sort((a, b) => a.split('{').length - b.split('{').length)[0] ?? plain;
}
