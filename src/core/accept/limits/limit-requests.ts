/** Takes a request out of the limits of its key, its client and the market, and adds what is left to each answer. */
import type { MiddlewareHandler } from 'hono';
import { addHeaders } from '../../../kit/http/answers/answer-headers.ts';
import { asSentence, Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { type Limiter, scopesOf } from './limiter.ts';

/** Paths that stay open whatever is used up, for a person who has set a limit too low or must stop something. */
const UNCOUNTED = /^\/v1\/(?:degradation|proposals|approvals|controls)(?:\/|$)/;

export function limitRequests(limiter: Limiter): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { client, keyId, sessionId } = c.get('principal');
    const who = { client, keyId };
    // People at the console are not counted, so that a busy client does not lock them out.
    const isCounted = sessionId === undefined && !UNCOUNTED.test(c.req.path);
    if (isCounted && limiter.limits('requests')) {
      const needs = scopesOf(who).map((scope) => ({ kind: 'requests' as const, scope, n: 1 }));
      const exceeded = await limiter.take(needs);
      if (exceeded !== undefined) {
        const { detail, headers } = exceeded;
        throw new Problem('limited', asSentence(`nothing was done: ${detail}`), { headers });
      }
    }
    await next();
    // A refusal has the headers of its own limit.
    if (isCounted) addHeaders(c, limiter.headersFor(who));
  };
}
