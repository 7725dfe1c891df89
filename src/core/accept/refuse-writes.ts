/** Refuses changes while people have made the market read-only; submissions pass, as the gate refuses each by its corridor. */
import type { MiddlewareHandler } from 'hono';
import { Problem } from '../../kit/http/answers/problem.ts';
import { type AppEnv, WRITING_METHODS } from '../../kit/http/app-env.ts';
import { controlOf, retryAfterSeconds } from '../domain/control.ts';
import type { ControlWatch } from '../store/controls/watch-controls.ts';

/** Paths that end the mode or help beside it, paths that write nothing, and submissions, whose repetitions are still answered. */
const ALLOWED = /^\/v1\/(?:controls|sessions|transactions|evaluate)(?:\/|$)/;

export function refuseWrites({
  current,
}: Pick<ControlWatch, 'current'>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const control = controlOf(current(), 'read-only', null);
    const isWrite = WRITING_METHODS.some((method) => method === c.req.method);
    if (control === undefined || !isWrite || ALLOWED.test(c.req.path)) return await next();
    const { scope, message } = control;
    const why = message === null ? '.' : `: ${message}`;
    const detail = `Nothing was done: the market is read-only (${scope})${why}`;
    const headers = { 'Retry-After': String(retryAfterSeconds(control, Date.now())) };
    throw new Problem('scope-stopped', detail, { headers });
  };
}
