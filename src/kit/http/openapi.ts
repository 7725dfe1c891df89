/**
 * How routes describe themselves for the OpenAPI document, from the same zod schemas that check requests. Each routes file gives
 * its paths; the helpers here keep what all of them share in one place. document.ts builds the document.
 */
import { z } from 'zod';
import type { ZodOpenApiResponsesObject } from 'zod-openapi';
import type { Role } from '../words/principal.ts';
import type { ProblemStatus } from './answers/problem-types.ts';
import { LINES_CONTENT_TYPE } from './body/line-reader.ts';

/** A refused field of a body, a line or a query. */
export const fieldErrorSchema = z
  .object({
    pointer: z.string().meta({
      description: 'The field as a JSON pointer; a query parameter as /NAME.',
      example: '/transactions/3/amount',
    }),
    detail: z.string().meta({ description: 'What is allowed there, and what was given.' }),
  })
  .meta({ id: 'FieldError' });

/** A JSON body, whose example tests check and /docs sends. Without `example` the document makes one of examples of its members. */
export function json<Schema extends z.ZodType>(schema: Schema, example?: NoInfer<z.input<Schema>>) {
  return { 'application/json': { schema, ...(example !== undefined && { example }) } };
}

/** Lines of JSON, each of one of the named schemas, with an example of them. */
export function ndjson(schemas: readonly [string, ...string[]], lines: readonly object[]) {
  const refer = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const [first, ...others] = schemas;
  const schema = {
    type: 'string',
    description: `One ${schemas.join(' or ')} a line.`,
    contentMediaType: LINES_CONTENT_TYPE,
    contentSchema: others.length === 0 ? refer(first) : { anyOf: schemas.map(refer) },
  } as const;
  const example = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return { [LINES_CONTENT_TYPE]: { schema, example } };
}

/** Error answers of a route: those named, and those every route that needs a key may give. */
export function problemResponses(...statuses: readonly ProblemStatus[]): ZodOpenApiResponsesObject {
  return problemReferences([...statuses, 400, 401, 403, 417, 429, 503]);
}

/** Error answers of a route that needs no key. */
export function openResponses(): ZodOpenApiResponsesObject {
  return problemReferences([417]);
}

export function problemReferences(statuses: readonly ProblemStatus[]): ZodOpenApiResponsesObject {
  const sorted = [...new Set(statuses)].sort((a, b) => a - b);
  return Object.fromEntries(
    sorted.map((status) => [
      String(status) as `${ProblemStatus}`,
      { $ref: `#/components/responses/Problem${status}` },
    ]),
  );
}

/** Roles that may call an operation, besides `admin`, which may unless all of them approve. The document lists them as scopes. */
export function allowedRoles(...roles: readonly Role[]): { bearer: string[] }[] {
  return [{ bearer: [...roles] }];
}

const OWN_ALONE: readonly Role[] = ['ingest'];

/** Roles that reach only their own client's objects by an operation. The document shows them as text and as an extension. */
export function ownClientAlone(description = ''): {
  readonly description: string;
  readonly 'x-own-client-alone': readonly Role[];
} {
  const said = `A key of ${OWN_ALONE.join(' or ')} without the roles analyst, auditor and admin reaches objects of its own client only; another client's are answered as unknown.`;
  return { description: `${description} ${said}`.trim(), 'x-own-client-alone': OWN_ALONE };
}

/**
 * Names of what webhooks send. Generators make a file of each tag, and a shared tag would lose operations. Generators leave out
 * schemas that no operation under a path names, hence the schema `any`.
 */
export const EVENTS = { tag: 'events', says: 'What webhooks send.', any: 'WebhookEvent' } as const;
