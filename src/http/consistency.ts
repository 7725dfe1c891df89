/** The header `Consistency-Token`: the answer to a write has it, and a read that carries it finds what was written. */
import type { Context } from 'hono';
import { z } from 'zod';
import { type ConsistencyToken, decodeToken } from '../domain/consistency-token.ts';
import { given } from '../domain/describe-issue.ts';
import { InvalidFields } from '../domain/field-error.ts';
import type { AppEnv } from './app-env.ts';

/** Its name in answers and requests. */
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

/** The header of an answer; null where nothing is stored. */
export function tokenHeader(token: string | null | undefined): { readonly [HEADER]?: string } {
  return typeof token === 'string' ? { [HEADER]: token } : {};
}

/** The header of a request, for the document. */
export const tokenParameter = z.object({
  [HEADER]: z.string().optional().meta({
    description:
      '`Consistency-Token` of the answer to a write, which this answer then includes: a replica of Postgres that lacks the write is waited for briefly, and otherwise the primary answers.',
  }),
});
