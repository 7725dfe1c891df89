/**
 * An operation of the API is data, described once: its route checks what its part of the document says, and its command calls it.
 * `list` answers rows, `read` one thing, and `change` does what a person or a program asks for.
 */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type {
  ZodOpenApiContentObject,
  ZodOpenApiOperationObject,
  ZodOpenApiPathsObject,
  ZodOpenApiResponseObject,
} from 'zod-openapi';
import { LIST_ROWS, pageOf, pageSchema } from '../words/page.ts';
import { type Decider, type Role, withReaders } from '../words/principal.ts';
import { answerHeaders } from './answers/answer-headers.ts';
import { tagIn } from './answers/encoding.ts';
import {
  type Answers,
  answerKept,
  conditionalHeader,
  isKeptText,
  type Keeping,
  matchHeader,
  withHeaders,
} from './answers/kept.ts';
import type { ProblemStatus } from './answers/problem-types.ts';
import type { AppEnv } from './app-env.ts';
import { actorOf, requireRole } from './auth/auth.ts';
import { type BodyLimits, checkFields, readJson, readQuery } from './body/body.ts';
import { answerOnce, onceParameter } from './once/answer-once.ts';
import { allowedRoles, json, problemResponses } from './openapi.ts';
import { revealOwn, withTokens } from './personal-edge.ts';

type Status = 200 | 201 | 202 | 204 | 304;

type Input<Path, Query, Body> = {
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  readonly by: Decider;
  /** The tag of the version that the caller changes, of an operation that is `matched`. */
  readonly ifMatch: string | undefined;
  readonly c: Context<AppEnv>;
};

export type DescribedBody<Body> = {
  readonly schema: z.ZodType;
  /** Absent where examples of the members say enough. */
  readonly example?: object | undefined;
  /** Reads the parsed JSON. @throws InvalidFields */
  readonly read: (value: unknown) => Body | Promise<Body>;
  /** Lowers the bound of all bodies. */
  readonly bytesMax?: number;
};

type Described<Parts, Path, Query, Body> = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With its parameters as `{id}`. */
  readonly at: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly roles: readonly Role[];
  /** An id of the path may be unknown, which is 404, unless `method` is `put`, which makes what is unknown. */
  readonly path?: z.ZodObject & z.ZodType<Path>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  /** Headers of the request: documented, and read by `run`. */
  readonly header?: z.ZodObject;
  readonly body?: DescribedBody<Body>;
  /** In place of `body`, of a body that `run` reads. */
  readonly ownBody?: ZodOpenApiContentObject;
  readonly 'x-own-client-alone'?: readonly Role[];
  readonly callbacks?: NonNullable<ZodOpenApiOperationObject['callbacks']>;
  /** A writing method asks: its answer is kept for no repetition. */
  readonly 'x-writes-nothing'?: true;
  /** The command with the action that calls the operation, such as `webhooks test`, where no row of the command says more. */
  readonly 'x-command'?: string;
  /** The member `tag` of the answer is its ETag. */
  readonly tagged?: true;
  /** The request says by `If-Match` which version it changes: 412 where another version is there. */
  readonly matched?: true;
  /** How long a client keeps the answer, which is a text that has an ETag. */
  readonly kept?: Keeping;
  /** Headers of the first answer. */
  readonly headers?: ReturnType<typeof answerHeaders>;
  /** The first is the answer to what `run` returns. */
  readonly answers: Answers;
  /** Problems besides those of parameters and bodies. */
  readonly problems?: readonly ProblemStatus[];
  /** Returns what the answer has, or a whole answer; undefined: the answer has no body. */
  readonly run: (
    input: Input<Path, Query, Body>,
    parts: Parts,
  ) => Promise<object | undefined> | object;
};

export type Operation<Parts> = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly at: string;
  readonly roles: readonly Role[];
  readonly document: ZodOpenApiOperationObject;
  readonly serve: (c: Context<AppEnv>, limits: BodyLimits, parts: Parts) => Promise<Response>;
};

/** Schema of parameters, or of a body, that an operation does not describe: each member is refused. */
const NONE = z.strictObject({});
const KEPT_HEADERS = answerHeaders('ETag', 'Cache-Control', 'Vary');
const OF_BODIES = [400, 408, 413, 415, 422] as const;

/** An operation that answers one thing. */
export const read = <Parts, Path, Query>(
  described: Omit<Described<Parts, Path, Query, undefined>, 'method' | 'body' | 'ownBody'>,
): Operation<Parts> => operation({ ...described, method: 'get' });

/** An operation that changes something. A repetition by the same `Idempotency-Key` gets the same answer. */
export const change = <Parts, Path, Query, Body>(
  described: Omit<Described<Parts, Path, Query, Body>, 'method' | 'kept'> & {
    readonly method?: 'put' | 'delete';
  },
): Operation<Parts> => operation({ method: 'post', ...described });

type Listed<Parts, Path, Query, Row> = Omit<
  Described<Parts, Path, Query, undefined>,
  'method' | 'body' | 'ownBody' | 'answers' | 'run'
> & {
  readonly row: z.ZodType;
  /** The order of the rows, or which rows there are, for the document. */
  readonly says: string;
  /** The cursor behind a row, of a list in pages: a page has `limit` rows of the query, or LIST_ROWS. */
  readonly cursorOf?: (row: Row) => string;
  readonly rows: (
    input: Input<Path, Query, undefined>,
    parts: Parts,
  ) => Promise<readonly Row[]> | readonly Row[];
};

/** An operation that answers rows: all of them, or a page. */
export function list<Parts, Path, Query, Row>({
  row,
  says,
  cursorOf,
  rows,
  ...described
}: Listed<Parts, Path, Query, Row>): Operation<Parts> {
  const schema = cursorOf === undefined ? z.object({ items: z.array(row) }) : pageSchema(row);
  return read({
    ...described,
    answers: { 200: answer(says, schema) },
    run: async (input: Input<Path, Query, undefined>, parts: Parts) => {
      const items = [...(await rows(input, parts))];
      const { limit = LIST_ROWS } = Object(input.query);
      const found = cursorOf === undefined ? { items } : pageOf(items, limit, cursorOf);
      return described.kept === undefined ? found : { text: JSON.stringify(found) };
    },
  });
}

/** @param described `Parts` is what its `run` needs of the process */
function operation<Parts, Path, Query, Body>(
  described: Described<Parts, Path, Query, Body>,
): Operation<Parts> {
  const { method, at, path, query, kept, tagged, matched, headers = {}, ...rest } = described;
  const { body, ownBody, problems = [], run, roles: callers, ...others } = rest;
  const { header: ownHeader, answers: given, ...said } = others;
  const ofTag = { ...(tagged && answerHeaders('ETag')), ...(kept && KEPT_HEADERS) };
  const answers = withHeaders(given, { ...ofTag, ...headers }, kept);
  const roles = method === 'get' ? withReaders(callers) : callers;
  // Submissions have keys of their own, and files of lists add only what is new.
  const isOnce = method !== 'get' && !ownBody && !said['x-writes-nothing'];
  const asked = {
    ...(isOnce && onceParameter.shape),
    ...(kept && conditionalHeader.shape),
    ...(matched && matchHeader.shape),
    ...ownHeader?.shape,
  };
  const header = Object.keys(asked).length > 0 ? z.object(asked) : undefined;
  const content = body ? json(body.schema, body.example) : ownBody;
  const takesNone = method !== 'get' && !content;
  const refused = [
    ...(method === 'get' ? [] : OF_BODIES),
    // Parameters of the query are checked everywhere.
    422 as const,
    ...(path && method !== 'put' ? [404 as const] : []),
    ...(matched ? [412 as const] : []),
    ...(isOnce ? [409 as const] : []),
    ...problems,
  ];
  return {
    method,
    at,
    roles,
    document: {
      ...said,
      security: allowedRoles(...roles),
      requestParams: { ...(path && { path }), ...(query && { query }), ...(header && { header }) },
      ...(content && { requestBody: { required: true, content } }),
      responses: { ...answers, ...problemResponses(...refused) },
    },
    serve: async (c, limits, parts) => {
      const ofPath = (path && checkFields(path, c.req.param())) as Path;
      const ofQuery = (
        query || c.req.url.includes('?') ? readQuery(c, query ?? NONE) : {}
      ) as Query;
      const bytesMax = Math.min(limits.bytesMax, body?.bytesMax ?? Infinity);
      const parsed = body && (await readJson(c, { ...limits, bytesMax }));
      if (takesNone && hasBody(c)) checkFields(NONE, await readJson(c, limits));
      const input = {
        path: ofPath,
        query: ofQuery,
        body: (await body?.read(parsed)) as Body,
        by: actorOf(c),
        ifMatch: matched && tagIn(c.req.header('if-match')),
        c,
      };
      const isPlain = c.get('personal') === undefined;
      const once = async (): Promise<Response> => {
        const answered = await run(isPlain ? input : await inTokens(input), parts);
        if (answered instanceof Response) return answered;
        if (kept !== undefined && isKeptText(answered)) return answerKept(c, answered, kept);
        if (tagged && answered !== undefined) c.header('ETag', Object(answered).tag);
        const status = Number(Object.keys(answers)[0]) as Exclude<Status, 304>;
        return status === 204 ? c.body(null, 204) : c.json(answered ?? null, status);
      };
      // The answer is kept with tokens, so that an erasure reaches kept answers.
      const whole = isOnce ? await answerOnce(c, parsed, once) : await once();
      return isPlain ? whole : await revealOwn(c, roles, whole);
    },
  };
}

/** A chunked request without a content type may have no body, as some proxies send each request without a length. */
const hasBody = ({ req }: Context) =>
  Number(req.header('content-length') ?? 0) > 0 ||
  (req.header('transfer-encoding') !== undefined && req.header('content-type') !== undefined);

async function inTokens<Path, Query, Body>(
  input: Input<Path, Query, Body>,
): Promise<Input<Path, Query, Body>> {
  const [query, body] = await Promise.all([
    withTokens(input.c, input.query),
    withTokens(input.c, input.body),
  ]);
  return { ...input, query, body };
}

/** A body that its schema reads. @param example where examples of its members do not go together */
export const bodyOf = <Body, Given>(
  schema: z.ZodType<Body, Given>,
  example?: NoInfer<Given> & object,
): DescribedBody<Body> => ({
  schema,
  example,
  read: (value) => checkFields(schema, value),
});

export const answer = (
  description: string,
  schema: z.ZodType,
  headers?: ReturnType<typeof answerHeaders>,
): ZodOpenApiResponseObject => ({
  description,
  ...(headers && { headers }),
  content: json(schema),
});

/** Mounts operations in their order. */
export function routesOf<Parts>(
  operations: readonly Operation<Parts>[],
  limits: BodyLimits,
  parts: Parts,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  for (const { method, at, roles, serve } of operations) {
    const path = at.replaceAll(/\{(\w+)\}/g, ':$1');
    routes[method](path, requireRole(...roles), (c) => serve(c, limits, parts));
  }
  return routes;
}

/** The part of the document. */
export function pathsOf(
  operations: readonly Pick<Operation<never>, 'method' | 'at' | 'document'>[],
  tag: string,
): ZodOpenApiPathsObject {
  const paths: Record<string, ZodOpenApiPathsObject[string]> = {};
  for (const { method, at, document } of operations) {
    paths[at] = { ...paths[at], [method]: { ...document, tags: [tag] } };
  }
  return paths;
}
