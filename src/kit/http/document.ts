/** Builds the OpenAPI 3.1 document from what the routes say of themselves. Workers, which serve no document, do not load it. */
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { InvalidFields } from '../words/field-errors.ts';
import { ROLES_APART } from '../words/principal.ts';
import { ANSWER_HEADERS, answerHeaders, usualHeaders } from './answers/answer-headers.ts';
import { PROBLEM_CONTENT_TYPE, Problem, type ProblemJson, problemJson } from './answers/problem.ts';
import {
  PROBLEM_NAMES,
  PROBLEMS,
  type ProblemName,
  type ProblemStatus,
  problemUrn,
} from './answers/problem-types.ts';
import { MARKET_PARAMETER } from './choose-market.ts';
import { addExamples, type Known } from './examples.ts';
import { EVENTS, fieldErrorSchema, problemReferences } from './openapi.ts';
import { PREFER_READ } from './prefer.ts';

/** Paths and what is sent to webhooks, with their tags, and schemas that no body as a whole names, such as lines of a stream. */
export type DocumentPart = {
  readonly paths: ZodOpenApiPathsObject;
  readonly webhooks?: ZodOpenApiPathsObject;
  readonly tags?: Readonly<Record<string, string>>;
  readonly schemas?: Readonly<Record<string, z.ZodType>>;
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
    help: z.string().meta({ description: 'Path of the page that says what to do about the type.' }),
    code: z.string().optional().meta({
      description:
        'Tells problems of one type apart, as `BACKTEST_ENDED`; most of 404 and 409 have it.',
    }),
    trace_id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional()
      .meta({ description: 'Trace of the request (W3C Trace Context), where traces are on.' }),
    transaction_id: z.uuid().optional().meta({
      description: 'Of `scope-stopped`: the request waited for a score, and has stored this one.',
    }),
    errors: z.array(fieldErrorSchema).optional().meta({
      description:
        'Refused fields, at most 100. Absent where no field is at fault, as of 401, 413, 415 and the limit of a client.',
    }),
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
  const { meaning } = PROBLEMS[name];
  const instance = ANSWER_HEADERS['X-Request-Id'].example;
  if (name !== 'invalid-fields') return problemJson(new Problem(name, meaning), instance);
  const errors = [{ pointer: '/amount', detail: "must be greater than zero, not '0'" }];
  return problemJson(new Problem(name, new InvalidFields(errors).message, { errors }), instance);
}

/** @param members values by the names of members, of which examples are made */
export function buildDocument(
  parts: readonly DocumentPart[],
  version: string,
  members: Known['members'],
): object {
  const paths = withUsualParts(mergePaths(parts));
  const webhooks = Object.assign({}, ...parts.map((part) => part.webhooks));
  const descriptions = Object.assign(
    { [EVENTS.tag]: EVENTS.says },
    ...parts.map((part) => part.tags),
  );
  const operations = Object.values(paths).flatMap(operationsOf);
  const tags = new Set([...operations.flatMap((operation) => operation.tags ?? []), EVENTS.tag]);
  const used = new Set(operations.flatMap(({ responses }) => Object.keys(responses)).map(Number));
  const statuses = PROBLEM_NAMES.map((name) => PROBLEMS[name].status);
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Risk engine',
      version,
      description:
        'Scores transactions for fraud. JSON is snake_case, times are RFC 3339 UTC, money is a decimal string. Errors are application/problem+json; the schema Problem lists their types with what they mean and what cures them. Within /v1 a release may add operations, members of answers and events, optional members of requests, problem types, reason codes, event types and other values of a list in an answer: a client ignores what it does not know. Nothing is removed, and nothing changes its meaning, without a new version. `If-Match` counts where an operation lists it, and is ignored elsewhere. Ids in the examples are made up: put one of yours in their place, such as an id from a list, or the answer is 404 or 422.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [...tags].map((name) => ({ name, description: descriptions[name] ?? '' })),
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: `An API key. Each operation lists the roles that may call it; admin has every role except ${ROLES_APART.join(', ')}.`,
        },
      },
      headers: { ...ANSWER_HEADERS },
      responses: Object.fromEntries(
        statuses
          .filter((status) => used.has(status))
          .map((status) => [`Problem${status}`, problemResponse(status)]),
      ),
      schemas: withAnyEvent(Object.assign({}, ...parts.map((part) => part.schemas))),
    },
    paths,
    webhooks,
  };
  const made = JSON.parse(JSON.stringify(createDocument(document, { override: publishSchema })));
  addExamples([made.paths, made.webhooks], { schemas: made.components.schemas, members });
  return withoutUnusedHeaders(made);
}

/** Adds the choice of all events. */
function withAnyEvent(schemas: Required<DocumentPart>['schemas']) {
  const events = Object.keys(schemas).filter((name) => name.endsWith('Event'));
  const anyOf = events.sort().map((name) => ({ $ref: `#/components/schemas/${name}` }));
  return { ...schemas, [EVENTS.any]: { anyOf } };
}

/** A header that no room's answer has is left out, as a room may be absent. */
function withoutUnusedHeaders(document: ReturnType<typeof createDocument>) {
  const text = JSON.stringify(document);
  const headers = Object.entries(document.components?.headers ?? {}).filter(([name]) =>
    text.includes(`"#/components/headers/${name}"`),
  );
  return {
    ...document,
    components: { ...document.components, headers: Object.fromEntries(headers) },
  };
}

/** Two parts may serve one path by different methods. */
function mergePaths(parts: readonly DocumentPart[]): ZodOpenApiPathsObject {
  const merged: ZodOpenApiPathsObject = {};
  for (const { paths } of parts) {
    for (const [path, methods] of Object.entries(paths)) {
      merged[path] = { ...merged[path], ...methods };
    }
  }
  return merged;
}

function operationsOf(methods: ZodOpenApiPathsObject[string]): ZodOpenApiOperationObject[] {
  return [methods.get, methods.post, methods.put, methods.delete].filter(
    (operation) => operation !== undefined,
  );
}

/** Adds what every operation has to what it names itself: headers of a path and of a read, the choice of a market, and 500. */
function withUsualParts(paths: ZodOpenApiPathsObject): ZodOpenApiPathsObject {
  const usual = (path: string, method: string, operation: ZodOpenApiOperationObject) => {
    const isOfMarket = path.startsWith('/v1/');
    const isRead = isOfMarket && method === 'get';
    const headers = {
      ...usualHeaders(path),
      ...(isRead ? answerHeaders('Preference-Applied') : {}),
    };
    const parameters = [
      ...(isOfMarket ? [MARKET_PARAMETER] : []),
      ...(isRead ? [PREFER_READ] : []),
    ];
    return {
      ...operation,
      parameters: [...(operation.parameters ?? []), ...parameters],
      responses: {
        ...mapValues(operation.responses, (response: object) =>
          '$ref' in response
            ? response
            : { ...response, headers: { ...headers, ...Object(response).headers } },
        ),
        ...problemReferences([500]),
      },
    };
  };
  return mapValues(paths, (methods: object, path) =>
    mapValues(methods, (operation: ZodOpenApiOperationObject, method) =>
      usual(path, method, operation),
    ),
  );
}

const mapValues = <Value, Made>(values: object, make: (value: Value, name: string) => Made) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, make(value, name)]));

/** Adapts schemas to programs in other languages that read the document, and to members that later releases add to answers. */
const publishSchema: ZodOpenApiOverride = ({ jsonSchema, io }) => {
  const { minimum, additionalProperties, const: only } = jsonSchema;
  // Generators make an enumeration of texts of it, which is no boolean.
  if (only === true) {
    delete jsonSchema.const;
    jsonSchema.not = { const: false };
  }
  // Python and Rust take `\d` for the digits of every script.
  jsonSchema.pattern &&= jsonSchema.pattern.replaceAll('\\d', '[0-9]').replaceAll('\\/', '/');
  // Whole numbers that name no bound are counts and places in lists.
  if (minimum === Number.MIN_SAFE_INTEGER) jsonSchema.minimum = 0;
  if (io === 'output' && additionalProperties === false) delete jsonSchema.additionalProperties;
};
