/** Refuses changes while people have made the market read-only; submissions pass, as the gate refuses each by its corridor. */
import type { MiddlewareHandler } from 'hono';
import { Problem } from '../../kit/http/answers/problem.ts';
import { type AppEnv, WRITING_METHODS } from '../../kit/http/app-env.ts';
import { readOnlyOf, retryAfterSeconds } from '../domain/switch.ts';
import type { SwitchWatch } from '../store/switches/switches.ts';

/** Paths that end the mode or help beside it, paths that write nothing, and submissions, whose repetitions are still answered. */
const ALLOWED =
  /^\/v1\/(?:(?:degradation|flags|limits|switches|sessions|transactions|evaluate)(?:\/|$)|.*\/(?:freeze|resume)$)/;

export function refuseWrites({ current }: Pick<SwitchWatch, 'current'>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const scope = readOnlyOf(current(), null);
    const stop = scope === undefined ? undefined : current().stopped.get(scope);
    const isWrite = WRITING_METHODS.some((method) => method === c.req.method);
    if (stop === undefined || !isWrite || ALLOWED.test(c.req.path)) return await next();
    const why = stop.message === null ? '.' : `: ${stop.message}`;
    const detail = `Nothing was done: the market is read-only (${scope})${why}`;
    const headers = { 'Retry-After': String(retryAfterSeconds(stop, Date.now())) };
    throw new Problem('scope-stopped', detail, { headers });
  };
}
