/**
 * The HTTP application: middleware, routes, and one answer for everything that goes wrong. It never
 * listens; `src/main/api.ts` gives it to a server and tests call it directly.
 */
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Log } from '../metrics/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { given } from '../words/describe-issue.ts';
import { toError } from '../words/failure.ts';
import type { KeptAnswers } from '../words/kept-answers.ts';
import type { PersonalEdge } from '../words/personal-edge.ts';
import { Problem, problemResponse, toProblem } from './answers/problem.ts';
import { type AppEnv, WRITING_METHODS } from './app-env.ts';
import { type Authenticate, requireKey, type Trust } from './auth/auth.ts';
import { compressAnswers } from './compress.ts';
import { addDegradation, frameRequests, type Levels, limitTime } from './edge.ts';
import { createMethodTable } from './method-table.ts';
import { translatePersonal } from './personal-edge.ts';
import { sayReadPrimary } from './prefer.ts';
import type { RequestTraces } from './trace-requests.ts';

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
  readonly timeoutMs: number;
  /** Refuse requests over a limit, or of a mode. */
  readonly refusals?: readonly MiddlewareHandler<AppEnv>[];
  /** Longest wait that a request may prefer, beyond its deadline. */
  readonly waitMsMax: number;
};

/** Paths that answer in an outage, too, as operators look at them then; asking for them is no use of a session. */
const FIGURES_PATHS = ['/v1/status', '/v1/live', '/v1/reviews/status'];
const trustFor = (c: Context<AppEnv>): Trust =>
  FIGURES_PATHS.includes(c.req.path) ? 'recent' : 'fresh';

export function createApp(dependencies: AppDependencies): Hono<AppEnv> {
  const { log, metrics, authenticate, routes, timeoutMs, waitMsMax } = dependencies;
  const app = new Hono<AppEnv>();
  app.use(frameRequests(metrics, dependencies.traces));
  app.use('/v1/*', compressAnswers);
  app.use('/v1/*', addDegradation(dependencies.degradation), limitTime(timeoutMs, waitMsMax));
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
    const problem = toProblem(thrown);
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

function extendSession(
  recordUse: (sessionId: string) => Promise<void> = async () => undefined,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { sessionId } = c.get('principal');
    if (sessionId !== undefined && trustFor(c) === 'fresh') await recordUse(sessionId);
    await next();
  };
}
