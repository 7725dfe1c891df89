/** Builds the OpenAPI 3.1 document from what the routes say of themselves. Workers, which serve no document, do not load it. */
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { lineResultSchema, linesDoneSchema } from '../../core/accept/transaction-lines.ts';
import { exportDoneSchema } from '../../rooms/exports/write/export-body.ts';
import { InvalidFields } from '../words/field-error.ts';
import { APPROVING_ROLES } from '../words/principal.ts';
import { ANSWER_HEADERS, answerHeaders, usualHeaders } from './answers/answer-headers.ts';
import { PROBLEM_CONTENT_TYPE, Problem, type ProblemJson, problemJson } from './answers/problem.ts';
import {
  PROBLEM_NAMES,
  PROBLEMS,
  type ProblemName,
  type ProblemStatus,
  problemUrn,
} from './answers/problem-types.ts';
import { WRITING_METHODS } from './consistency.ts';

/** Descriptions of the tags of operations. */
const TAGS: Readonly<Record<string, string>> = {
  accounts: 'What an account did.',
  audit: 'Who changed what.',
  catalogue: 'What exists: corridors, reason codes and features.',
  'dead letters': 'Transactions whose scoring was given up.',
  devices: 'What happened on a device.',
  documents: 'This document.',
  health: 'What supervisors and scrapers ask.',
  keys: 'API keys and the people who hold them.',
  labels: 'What became known of transactions.',
  merchants: 'What a merchant did.',
  models: 'Models, what they do, and how well.',
  operations: 'Where the pipeline stands.',
  reviews: 'Cases that people decide.',
  rules: 'Rule sets, and what became of what their rules fired on.',
  scores: 'Scores and why they are what they are.',
  sessions: 'Logins of browsers.',
  summaries: 'Sums by day.',
  transactions: 'Transactions: submitted, read and listed.',
  webhooks: 'Events sent to other systems.',
};

const problemTable = [
  '| type | status | meaning | cure |\n|---|---|---|---|',
  ...PROBLEM_NAMES.map((name) => {
    const { status, meaning, cure } = PROBLEMS[name];
    return `| \`${name}\` | ${status} | ${meaning} | ${cure} |`;
  }),
].join('\n');

const problemSchema = z
  .object({
    type: z.enum(PROBLEM_NAMES.map(problemUrn)).meta({ description: 'What went wrong.' }),
    title: z.string().meta({ description: 'Says the same for every problem of a type.' }),
    status: z.int().meta({ description: 'The status of the answer.' }),
    detail: z.string().meta({ description: 'What went wrong this time, for people.' }),
    instance: z.string().meta({ description: 'The request id.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description: 'The field as a JSON pointer; a query parameter as /NAME.',
            example: '/transactions/3/amount',
          }),
          detail: z.string().meta({ description: 'What is allowed there, and what was given.' }),
        }),
      )
      .optional()
      .meta({ description: 'Refused fields, at most 100.' }),
  })
  .meta({ id: 'Problem', description: `RFC 9457.\n\n${problemTable}` });

/** The one description of an error answer, with an example of each of its types. */
function problemResponse(status: ProblemStatus): ZodOpenApiResponseObject {
  const names = PROBLEM_NAMES.filter((name) => PROBLEMS[name].status === status);
  const sentences = names.map((name) => {
    const { title, meaning, cure } = PROBLEMS[name];
    return `**${title}** (\`${name}\`). ${meaning} ${cure}`;
  });
  const examples = names.map((name) => [
    name,
    { summary: PROBLEMS[name].title, value: problemExample(name) },
  ]);
  return {
    description: sentences.join('\n\n'),
    headers: {
      ...usualHeaders('/v1/'),
      ...(status === 401 ? answerHeaders('WWW-Authenticate') : {}),
      ...([404, 429, 503].includes(status) ? answerHeaders('Retry-After') : {}),
    },
    content: {
      [PROBLEM_CONTENT_TYPE]: { schema: problemSchema, examples: Object.fromEntries(examples) },
    },
  };
}

function problemExample(name: ProblemName): ProblemJson {
  const { status, title, meaning } = PROBLEMS[name];
  const instance = ANSWER_HEADERS['X-Request-Id'].example;
  if (name !== 'invalid-fields') {
    return { type: problemUrn(name), title, status, detail: meaning, instance };
  }
  const errors = [{ pointer: '/amount', detail: "must be greater than zero, not '0'" }];
  return problemJson(new Problem(name, new InvalidFields(errors).message, { errors }), instance);
}

export function buildDocument(parts: readonly ZodOpenApiPathsObject[], version: string): object {
  const paths = withUsualHeaders(Object.assign({}, ...parts));
  const operations = Object.values(paths).flatMap(operationsOf);
  const tags = new Set(operations.flatMap((operation) => operation.tags ?? []));
  const used = new Set(operations.flatMap(({ responses }) => Object.keys(responses)).map(Number));
  const statuses = PROBLEM_NAMES.map((name) => PROBLEMS[name].status);
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Risk engine',
      version,
      description:
        'Scores transactions for fraud. JSON is snake_case, times are RFC 3339 UTC, money is a decimal string. Errors are application/problem+json; the schema Problem lists their types with what they mean and what cures them. Ids in the examples are made up: put one of yours in their place, as of a list, or the answer is 404 or 422.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [...tags].map((name) => ({ name, description: TAGS[name] ?? '' })),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: `An API key. Each operation lists the roles that may call it; admin has every role except ${APPROVING_ROLES.join(', ')}.`,
        },
      },
      headers: { ...ANSWER_HEADERS },
      responses: Object.fromEntries(
        statuses
          .filter((status) => used.has(status))
          .map((status) => [`Problem${status}`, problemResponse(status)]),
      ),
      // Lines of a stream are named in no schema of a whole body.
      schemas: {
        TransactionLine: lineResultSchema,
        TransactionLinesDone: linesDoneSchema,
        ExportDone: exportDoneSchema,
      },
    },
    paths,
  };
  return createDocument(document);
}

function operationsOf(item: ZodOpenApiPathsObject[string]): ZodOpenApiOperationObject[] {
  return [item.get, item.post, item.delete].filter((operation) => operation !== undefined);
}

/** Adds the headers of every answer at a path, and to a write, to those that its operations name themselves. */
function withUsualHeaders(paths: ZodOpenApiPathsObject): ZodOpenApiPathsObject {
  const usual = (path: string, method: string, operation: ZodOpenApiOperationObject) => {
    const isWrite =
      WRITING_METHODS.includes(method.toUpperCase()) && !('x-writes-nothing' in operation);
    const headers = {
      ...usualHeaders(path),
      ...(isWrite ? answerHeaders('Consistency-Token') : {}),
    };
    return {
      ...operation,
      responses: Object.fromEntries(
        Object.entries(operation.responses).map(([status, response]) => [
          status,
          '$ref' in response
            ? response
            : { ...response, headers: { ...headers, ...response.headers } },
        ]),
      ),
    };
  };
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item).map(([method, operation]) => [method, usual(path, method, operation)]),
      ),
    ]),
  );
}
