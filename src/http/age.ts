/**
 * The header `Age`, in seconds, of answers from a replica: they include everything that was stored longer ago
 * than that.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Aged } from '../query/reading.ts';
import type { AppEnv } from './app-env.ts';
import { addHeaders } from './headers.ts';

/** Adds the header `Age`, if there is one, and returns the answer. */
export function sayAge<T>(c: Context<AppEnv>, { answer, ageMs }: Aged<T>): T {
  if (ageMs !== undefined) addHeaders(c, [['Age', String(Math.ceil(ageMs / 1000))]]);
  return answer;
}

/** Header schema for the OpenAPI document of operations that a replica may answer. */
export const ageHeaders = z.object({
  Age: z.string().optional().meta({
    description:
      'Seconds; present where a replica of Postgres answered. The answer holds everything that was stored longer ago. Rows whose created_at is less than five minutes ago never come from a replica.',
    example: '1',
  }),
});
