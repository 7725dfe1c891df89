/** The document an API serves, as tests use it: its operations, and a validator of its schemas. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export type Content = Record<string, { readonly schema: object }>;
export type Operation = {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly 'x-own-client-alone'?: readonly string[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Record<string, { readonly description: string; readonly content?: Content }>;
};
export type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
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
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'api', ...document });
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const validator = (schema: object) => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
    return ajv.compile(JSON.parse(text));
  };
  return { document, operations, validator };
}
