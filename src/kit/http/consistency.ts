/** The header `Consistency-Token`: the answer to a write has it, and a read that carries it finds what was written. */
import type { Context, MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { type ConsistencyToken, decodeToken, TOKEN } from '../words/consistency-token.ts';
import { given } from '../words/describe-issue.ts';
import { InvalidFields } from '../words/field-error.ts';
import { shown } from '../words/list-parameters.ts';
import { CONSISTENCY_TOKEN } from './answers/answer-headers.ts';
import { addHeaders } from './answers/headers.ts';
import type { AppEnv } from './app-env.ts';

/** Header of answers and requests that carries a consistency token. */
const HEADER = 'Consistency-Token';

/** The token that a read carries; undefined where it carries none. */
export function readToken(c: Context<AppEnv>): ConsistencyToken | undefined {
  const text = c.req.header(HEADER);
  if (text === undefined) return undefined;
  const token = decodeToken(text);
  if (token !== undefined) return token;
  const detail = `must be the ${HEADER} of an answer, unchanged, not ${given(text)}`;
  throw new InvalidFields([{ pointer: `/${HEADER}`, detail }]);
}

/** Methods of requests that write. */
export const WRITING_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Gives the answer to each write that succeeds its token: the one that the handler has said, or one of everything that is
 * committed once the handler has answered.
 */
export function addToken(readBoundToken: () => Promise<string>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    const said = c.get('token');
    if (said === null || !c.res.ok) return;
    addHeaders(c, [[HEADER, said ?? (await readBoundToken())]]);
  };
}

/** Says the token that the write itself returned, which takes no further question; null: it returned none. */
export function sayToken(c: Context<AppEnv>, token: string | null | undefined): void {
  if (typeof token === 'string') c.set('token', token);
}

/** For a handler of a writing method whose answer has no token: it stores nothing, or only once the headers are sent. */
export function withoutToken(c: Context<AppEnv>): void {
  c.set('token', null);
}

/** The header of a request, for the document. */
export const tokenParameter = z.object({
  [HEADER]: z
    .string()
    .regex(TOKEN)
    .optional()
    .meta(
      shown(
        CONSISTENCY_TOKEN,
        '`Consistency-Token` of the answer to a write, which this answer then includes: a replica of Postgres that lacks the write is waited for briefly, and otherwise the primary answers.',
      ),
    ),
});
