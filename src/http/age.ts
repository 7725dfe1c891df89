/** `Age` of answers that a replica gave, or a part of: what was stored longer ago than so many seconds is in them. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Aged } from '../query/reading.ts';
import type { AppEnv } from './app-env.ts';
import { addHeaders } from './headers.ts';

/** The answer itself, once its age is among the headers. */
export function sayAge<T>(c: Context<AppEnv>, { answer, ageMs }: Aged<T>): T {
  if (ageMs !== undefined) addHeaders(c, [['Age', String(Math.ceil(ageMs / 1000))]]);
  return answer;
}

/** In the document of an operation that a replica may answer. */
export const ageHeaders = z.object({
  Age: z.string().optional().meta({
    description:
      'Seconds; where a replica of Postgres answered. What was stored longer ago is in the answer. Rows younger than five minutes by their created_at never come from a replica.',
    example: '1',
  }),
});
