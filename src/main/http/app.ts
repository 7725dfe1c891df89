/**
 * The HTTP application: middleware, routes, and one answer for everything that goes wrong. `src/main/api.ts` gives the application
 * to a server, and tests call it directly.
 */

import { pipeline, Readable, type Transform } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { KeptAnswers } from '../../kit/access/kept-answers.ts';
import {
  chooseEncoding,
  type Encoding,
  encodedTag,
  encodingOfWhole,
} from '../../kit/http/answers/encoding.ts';
import {
  Problem,
  problemResponse,
  toProblem,
  unavailable,
} from '../../kit/http/answers/problem.ts';
import { type AppEnv, WRITING_METHODS } from '../../kit/http/app-env.ts';
import { type Authenticate, requireKey, type Trust } from '../../kit/http/auth/auth.ts';
import { encodingOf } from '../../kit/http/body/unpack.ts';
import {
  addDegradation,
  frameRequests,
  type Levels,
  limitTime,
  type RequestTraces,
  readBesideAbsentPrimary,
} from '../../kit/http/edge.ts';
import { translatePersonal } from '../../kit/http/personal-edge.ts';
import { sayReadPrimary } from '../../kit/http/prefer.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { isPrimaryAway } from '../../kit/process/primary-away.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { toError } from '../../kit/words/failure.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';
import type { PersonalEdge } from '../../kit/words/personal-edge.ts';

type AppDependencies = {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'httpDuration'>;
  /** Absent where no request is traced. */
  readonly traces?: RequestTraces | null;
  readonly authenticate: Authenticate;
  /** Records that somebody uses a session, so that it stays open. Absent where there are none. */
  readonly recordUse?: (sessionId: string) => Promise<void>;
  /** Tokens of personal values; absent without the room of personal data, null while no field is declared. */
  readonly personal?: () => PersonalEdge | null;
  /** Kept answers of writes; absent in a process that takes no writes. */
  readonly keptAnswers?: KeptAnswers;
  /** Routes in mounting order. Paths below /v1 need a key. */
  readonly routes: readonly Hono<AppEnv>[];
  readonly degradation: Levels;
  /** Since when a replica, which answers reads while the primary is away, may lack something. Absent where there are no replicas. */
  readonly staleSinceMs?: () => number | undefined;
  readonly timeoutMs: number;
  /** Refuse requests over a limit, or of a mode. */
  readonly refusals?: readonly MiddlewareHandler<AppEnv>[];
  /** Longest wait that a request may prefer, beyond its deadline. */
  readonly waitMsMax: number;
};

/** Paths that answer in an outage, too, as operators look at them then; asking for them is no use of a session. */
const FIGURES_PATHS = ['/v1/status', '/v1/live', '/v1/reviews/status'];

/** JSON is there as a whole; lines and CSV are long streams. Live events are neither, as a packer would hold them back. */
const WHOLE = /^application\/(problem\+)?json\b/;
const STREAMED = /^(application\/x-ndjson|text\/csv)\b/;
/** The fastest levels: a row of CSV takes 1.7 µs by gzip and 1.1 by brotli; gzip 6 takes 3.7, and brotli 4 takes 4.6, for a tenth fewer bytes. */
const [GZIP_LEVEL, BROTLI_QUALITY] = [1, 1];
const PACKERS: Readonly<Record<Encoding, () => Transform>> = {
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: () => createGzip({ level: GZIP_LEVEL }),
};

type Route = { readonly method: string; readonly path: string };

const trustFor = (c: Context<AppEnv>): Trust =>
  FIGURES_PATHS.includes(c.req.path) ? 'recent' : 'fresh';

export function createApp(dependencies: AppDependencies): Hono<AppEnv> {
  const { log, metrics, authenticate, routes, timeoutMs, waitMsMax, staleSinceMs } = dependencies;
  const app = new Hono<AppEnv>();
  app.use(frameRequests(metrics, dependencies.traces));
  app.use('/v1/*', compressAnswers);
  app.use('/v1/*', addDegradation(dependencies.degradation), limitTime(timeoutMs, waitMsMax));
  if (staleSinceMs !== undefined) app.use('/v1/*', readBesideAbsentPrimary(staleSinceMs));
  app.use(
    '/v1/*',
    requireKey(authenticate, trustFor),
    extendSession(dependencies.recordUse),
    ...(dependencies.personal === undefined ? [] : [translatePersonal(dependencies.personal)]),
    ...(dependencies.refusals ?? []),
  );
  app.get('/v1/*', sayReadPrimary);
  const { keptAnswers } = dependencies;
  if (keptAnswers !== undefined) {
    app.on(WRITING_METHODS, '/v1/*', async (c, next) => {
      c.set('keptAnswers', keptAnswers);
      await next();
    });
  }
  const methods = createMethodTable(routes.flatMap((some) => some.routes));
  const refuseMethod = (c: Context<AppEnv>) => {
    const allowed = methods.allowedAt(c.req.path).join(', ');
    const { method, path } = c.req;
    const others = methods.besides(method, path).join(', ');
    const word = given(path.split('/').at(-1));
    const advice =
      others === '' ? '' : `: ${word} was taken for an id, and ${others} takes ${method}`;
    const detail = `The path takes ${allowed}, not ${method}${advice}.`;
    const problem = new Problem('method-not-allowed', detail, { headers: { Allow: allowed } });
    return problemResponse(problem, c.get('requestId'), c.get('trace'));
  };
  for (const { method, path } of methods.mistaken) app.on(method, path, refuseMethod);
  for (const some of routes) app.route('/', some);
  app.notFound((c) => {
    const allowed = methods.allowedAt(c.req.path);
    // A route that takes the method has found nothing of that name.
    if (allowed.length > 0 && !allowed.includes(c.req.method)) return refuseMethod(c);
    const nearest = allowed.length === 0 ? methods.nearestTo(c.req.path) : undefined;
    const advice =
      nearest === undefined ? 'all paths are in /docs' : `the nearest path is ${nearest}`;
    const hint = allowed.length === 0 ? `; ${advice}` : '';
    const detail = `Nothing is served at ${given(c.req.path)}${hint}.`;
    return problemResponse(new Problem('not-found', detail), c.get('requestId'), c.get('trace'));
  });
  app.onError((thrown, c) => {
    const requestId = c.get('requestId');
    const trace = c.get('trace');
    const named = { requestId, ...(trace && { trace_id: trace.traceId }) };
    const problem = unlessLacking(toProblem(thrown));
    if (problem === undefined) {
      log.error({ err: toError(thrown), ...named }, 'bug: a request failed unexpectedly');
      return problemResponse(new Problem('internal', 'The log has the cause.'), requestId, trace);
    }
    if (problem.problem === 'unavailable') {
      log.warn({ cause: String(thrown), ...named }, 'a request found a dependency unavailable');
    }
    return problemResponse(problem, requestId, trace);
  });
  return app;
}

/** A replica that stands in may lack a row that exists, so a row that it does not find is 503, not 404. */
const unlessLacking = (problem: Problem | undefined): Problem | undefined =>
  problem?.problem === 'not-found' && isPrimaryAway()
    ? unavailable('The replica that answers while the primary is away does not have it.')
    : problem;

function extendSession(
  recordUse: (sessionId: string) => Promise<void> = async () => undefined,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { sessionId } = c.get('principal');
    const isUse = trustFor(c) === 'fresh' && !isPrimaryAway();
    if (sessionId !== undefined && isUse) await recordUse(sessionId);
    await next();
  };
}

const mayBePacked = (c: Context<AppEnv>) =>
  c.req.header('accept-encoding') !== undefined &&
  (c.req.method === 'GET' || encodingOf(c) !== undefined);

/**
 * Answers as brotli or gzip (RFC 9110, 12.5.3) where the client takes them: of reads, and of writes whose body came compressed. Other
 * writes are answered plainly: most clients say by default that they take gzip, which would cost the accepting path.
 */
const compressAnswers: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (!mayBePacked(c)) return;
  const { status, headers, body } = c.res;
  const type = headers.get('content-type') ?? '';
  const isWhole = WHOLE.test(type);
  // A packer would hold back answers to lines whose sender waits for them.
  const isStreamed = c.req.method === 'GET' && STREAMED.test(type);
  if (body === null || headers.has('content-encoding') || !(isWhole || isStreamed)) return;
  const sending = new Headers(headers);
  const whole = isWhole ? new Uint8Array(await c.res.arrayBuffer()) : undefined;
  const encoding = whole === undefined ? chooseEncoding(c) : encodingOfWhole(c, whole.byteLength);
  let answered: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> = whole ?? body;
  if (encoding !== undefined) {
    answered = pack(
      whole === undefined ? Readable.fromWeb(body as NodeStream) : Readable.from([whole]),
      PACKERS[encoding](),
    );
    sending.set('Content-Encoding', encoding);
    sending.delete('Content-Length');
    const tag = headers.get('etag');
    if (tag !== null) sending.set('ETag', encodedTag(tag, encoding));
  }
  // An answer that replaces another one would take its headers over.
  c.res = undefined;
  c.res = new Response(answered, { status, headers: sending });
};

/** An answer that breaks off ends its packer, and a reader that leaves ends the answer. */
function pack(from: Readable, packer: Transform): ReadableStream<Uint8Array> {
  pipeline(from, packer, () => undefined);
  return Readable.toWeb(packer) as ReadableStream<Uint8Array>;
}

/**
 * The methods that each path takes, which tell 405 from 404 and from an id of that name. Built once from the routes that are served.
 */
function createMethodTable(routes: readonly Route[]) {
  const methodsByPath = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    if (method === 'ALL') continue;
    const methods = methodsByPath.get(path) ?? new Set();
    methodsByPath.set(path, methods.add(method));
    if (method === 'GET') methods.add('HEAD');
  }
  const patterns = [...methodsByPath].map(([path, methods]) => ({
    path,
    pattern: toPattern(path),
    methods,
  }));
  const methodsOf = (path: string) => {
    const matching = patterns.filter(({ pattern }) => pattern.test(path));
    return new Set(matching.flatMap(({ methods }) => [...methods]));
  };
  const mistaken = patterns
    .filter(({ path }) => !/[:*]/.test(path))
    .flatMap(({ path, methods }) =>
      [...methodsOf(path).difference(methods)].map((method) => ({ method, path })),
    );
  return {
    allowedAt: (path: string) => [...(methodsByPath.get(path) ?? methodsOf(path))].sort(),
    /** Methods that a path without parameters does not take, and a route beside it would take for an id. */
    mistaken,
    /** Paths that take the method and have words of their own where the path has an id, as /v1/transactions/batch. */
    besides: (method: string, path: string) => {
      if (methodsByPath.has(path)) return [];
      const above = path.slice(0, path.lastIndexOf('/') + 1);
      return patterns
        .filter((pattern) => pattern.methods.has(method) && pattern.path.startsWith(above))
        .map((pattern) => pattern.path)
        .filter((path) => !/[:*/]/.test(path.slice(above.length)));
    },
    /** The path without trailing or repeated slashes, or below /v1, if that is served; else the nearest path, with parameters as `{id}`. */
    nearestTo: (path: string) => {
      const trimmed = path.replaceAll(/\/+(?=\/|$)/g, '');
      const meant = [trimmed, `/v1${trimmed}`].flatMap(
        (path) => patterns.find(({ pattern }) => pattern.test(path)) ?? [],
      );
      if (meant[0] !== undefined) return shown(meant[0].path);
      const given = path.split('/');
      const served = new Map<string, string>();
      for (const known of methodsByPath.keys()) {
        const segments = known.split('/');
        if (segments.length !== given.length || known.includes('*')) continue;
        const filled = segments.map((segment, nth) =>
          segment.startsWith(':') ? given[nth] : segment,
        );
        served.set(filled.join('/'), shown(known));
      }
      return served.get(nearestName(path, [...served.keys()]) ?? '');
    },
  };
}

const shown = (path: string) => path.replaceAll(/:(\w+)/g, '{$1}');

/** `/v1/scores/:id` as an expression; a parameter is one segment, `*` is the rest. */
function toPattern(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    if (segment === '*') return '.*';
    if (segment.startsWith(':')) return '[^/]+';
    return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}$`);
}
