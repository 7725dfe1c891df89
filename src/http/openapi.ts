/**
 * The OpenAPI 3.1 document, from the same zod schemas that check requests. Each routes file gives its
 * paths; the helpers here keep what all of them share in one place.
 */
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { APPROVING_ROLES, type Role } from '../domain/principal.ts';
import { PROBLEM_CONTENT_TYPE, type ProblemStatus } from './problem.ts';

const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:risk:problem:invalid-fields' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'The request id.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ example: '/transactions/3/amount' }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

const DESCRIPTIONS: Readonly<Record<ProblemStatus, string>> = {
  400: 'The body is not JSON or the request is malformed.',
  401: 'No valid API key.',
  403: 'The key lacks the role.',
  404: 'Not found.',
  405: 'Not a method of this path.',
  408: 'The request did not arrive in time.',
  409: 'Conflict with the present state.',
  410: 'The month of the transaction is detached; once it is attached, the answer is there again.',
  413: 'The body is too large.',
  415: 'The content type or encoding is not supported.',
  417: 'No expectation but 100-continue is met.',
  422: 'Invalid fields; `errors` names each.',
  500: 'A bug; the request id finds it in the log.',
  429: 'The client makes more requests than it may, or its address has sent too many unknown keys; try again after `Retry-After` seconds.',
  503: 'A dependency does not answer; try again after `Retry-After` seconds.',
};

/** Error answers of a route: those named, and those every route below /v1 may give. */
export function problemResponses(...statuses: readonly ProblemStatus[]): ZodOpenApiResponsesObject {
  const all = [...new Set<ProblemStatus>([...statuses, 401, 403, 429, 503])].sort((a, b) => a - b);
  return Object.fromEntries(
    all.map((status) => [
      String(status) as `${ProblemStatus}`,
      {
        description: DESCRIPTIONS[status],
        content: { [PROBLEM_CONTENT_TYPE]: { schema: problemSchema } },
      },
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
  const said = `A key of ${OWN_ALONE.join(' or ')} without the roles analyst and admin reaches objects of its own client only; another client's are answered as unknown.`;
  return { description: `${description} ${said}`.trim(), 'x-own-client-alone': OWN_ALONE };
}

export function buildDocument(paths: readonly ZodOpenApiPathsObject[], version: string): object {
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Risk engine',
      version,
      description:
        'Scores transactions for fraud. JSON is snake_case, times are RFC 3339 UTC, money is a decimal string. Errors are application/problem+json.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [...tagsOf(paths)].map((name) => ({ name })),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: `An API key. Each operation lists the roles that may call it; admin has every role except ${APPROVING_ROLES.join(', ')}.`,
        },
      },
    },
    paths: Object.assign({}, ...paths),
  };
  return createDocument(document);
}

function tagsOf(paths: readonly ZodOpenApiPathsObject[]): Set<string> {
  const operations = paths.flatMap((part) => Object.values(part)).flatMap(Object.values);
  return new Set(operations.flatMap((operation) => operation?.tags ?? []));
}
