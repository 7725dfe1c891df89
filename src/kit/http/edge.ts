/** Middleware around every request: its id, the headers of every answer, and its duration. */
import { randomUUID } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Metrics } from '../metrics/metrics.ts';
import { besideAbsentPrimary } from '../process/primary-away.ts';
import { MARKET, METHOD, REQUEST, ROUTE, SPANS, STATUS } from '../traces/names.ts';
import type { Traces } from '../traces/open-traces.ts';
import { parseTraceparent } from '../traces/trace.ts';
import { addHeaders, type HeaderList } from './answers/answer-headers.ts';
import { Problem, unavailable } from './answers/problem.ts';
import { PEOPLES_PROBLEMS } from './answers/problem-types.ts';
import { type AppEnv, mayWrite } from './app-env.ts';
import { readPreferences } from './prefer.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const HSTS_SECONDS = 365 * 24 * 60 * 60;

/** Answers of the API are no pages, so they may load nothing; /docs and /console have policies of their own. */
const STRICT_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Headers of every answer, unless it has others itself. */
export const USUAL_HEADERS: HeaderList = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Strict-Transport-Security', `max-age=${HSTS_SECONDS}; includeSubDomains`],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Content-Security-Policy', STRICT_POLICY],
  ['Cache-Control', 'no-store'],
];

type Ended = {
  readonly route: string;
  readonly status: string;
  /** Set where the engine obeys people. */
  readonly problem?: string;
};

export type RequestTraces = ReturnType<typeof traceRequests>;

const FAILED_MIN = 500;

/** The caller's `X-Request-Id` if it is harmless. */
export function requestIdFor(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * Around every request: its id, which is repeated in every answer, the headers of the answer, and its duration.
 * The duration is recorded under its route's pattern, never its path, so that labels stay few.
 */
export function frameRequests(
  { httpDuration }: Pick<Metrics, 'httpDuration'>,
  traces: RequestTraces | null = null,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = requestIdFor(c.req.header('x-request-id'));
    c.set('requestId', requestId);
    if (traces !== null) traces.begin(c);
    await next();
    addHeaders(c, USUAL_HEADERS);
    addHeaders(c, [['X-Request-Id', requestId]]);
    const { status } = c.res;
    const route = status === 404 || status === 405 ? '(none)' : routePath(c, -1);
    const labels = {
      method: c.req.method,
      route,
      status: String(status),
      ...peoplesProblem(c.error),
    };
    httpDuration.observe(labels, (performance.now() - startedAt) / 1000);
    if (traces !== null) traces.end(c, labels);
  };
}

/** Labels of a refusal by which the engine obeys people, so that it counts as no error of the engine. */
function peoplesProblem(thrown: unknown): { readonly problem?: string } {
  const isTheirs = thrown instanceof Problem && PEOPLES_PROBLEMS.includes(thrown.problem);
  return isTheirs ? { problem: thrown.problem } : {};
}

/** Longer than the deadlines of a body and a statement, whose own answers say more. */
const DEADLINE_GRACE_MS = 1000;

/**
 * Answers 503 when a handler has not answered by the request's deadline; the handler's result is dropped. A
 * wait that the caller prefers is added to the deadline. Streams of lines have deadlines of their own.
 */
export function limitTime(timeoutMs: number, waitMsMax: number): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { waitMs } = readPreferences(c.req.header('prefer'), waitMsMax);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(unavailable('The request took longer than its deadline.')),
      timeoutMs + waitMs + DEADLINE_GRACE_MS,
    );
    c.set('liftDeadline', () => clearTimeout(timer));
    try {
      await Promise.race([next(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Levels of degradation, as the process sees them. */
export type Levels = {
  readonly level: () => number;
  /** At least the level of the process; of a name that is no corridor's, that level. */
  readonly levelOf: (corridor: string) => number;
};

const CORRIDOR_PATH = /^\/v1\/corridors\/([^/]+)/;

/** Adds the degradation level to answers above level 0: of the corridors that the request names, or of the process. */
export function addDegradation({ level, levelOf }: Levels): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    const ofRequest = CORRIDOR_PATH.exec(c.req.path)?.[1] ?? c.req.query('corridor');
    const named = c.get('corridors') ?? (ofRequest === undefined ? [] : [ofRequest]);
    const now = Math.max(level(), ...[...named].map(levelOf));
    if (now > 0) addHeaders(c, [['X-Risk-Degradation', String(now)]]);
  };
}

/** Has a replica answer reads while the primary is away; each answer says since when it may lack what was stored. */
export function readBesideAbsentPrimary(
  staleSinceMs: () => number | undefined,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const sinceMs = mayWrite(c.req.method, c.req.path) ? undefined : staleSinceMs();
    if (sinceMs === undefined) return await next();
    await besideAbsentPrimary(sinceMs, next);
    addHeaders(c, [['X-Risk-Stale-Since', new Date(sinceMs).toISOString()]]);
  };
}

/** The trace of each request that comes to the application of a market. */
export function traceRequests({ begin }: Pick<Traces, 'begin'>, market: string) {
  return {
    begin(c: Context<AppEnv>): void {
      const attributes = {
        [METHOD]: c.req.method,
        [MARKET]: market,
        [REQUEST]: c.get('requestId'),
      };
      const parent = parseTraceparent(c.req.header('traceparent'));
      c.set('trace', begin({ name: SPANS.noRoute, kind: 'server', attributes, parent }));
    },
    /** A path may name a person's account, so the route stands for it. */
    end(c: Context<AppEnv>, { route, status, problem }: Ended): void {
      const trace = c.get('trace');
      if (trace === undefined) return;
      const { first } = trace;
      first.name = `${c.req.method} ${route}`;
      first.attributes[ROUTE] = route;
      first.attributes[STATUS] = Number(status);
      if (Number(status) >= FAILED_MIN && problem === undefined) trace.fail(status);
      // Nobody without a key has traces exported by saying that they are sampled.
      trace.end(c.get('principal') !== undefined);
    },
  };
}
