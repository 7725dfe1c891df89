/**
 * The header `Age`, in seconds, of answers from memory or a replica: they include everything that was stored longer ago
 * than that.
 */
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { answerHeaders } from './answer-headers.ts';
import { addHeaders } from './headers.ts';

/** Adds the header `Age`, if there is one, and returns the answer. */
export function sayAge<T>(c: Context<AppEnv>, { answer, ageMs }: Aged<T>): T {
  if (ageMs !== undefined) addHeaders(c, [['Age', ageOf(ageMs)]]);
  return answer;
}

/** The value of `Age`: whole seconds, rounded up. */
export const ageOf = (ageMs: number): string => String(Math.ceil(ageMs / 1000));

/** Headers of answers that a replica may give, for the document. */
export const ageHeaders = answerHeaders('Age');

/** An answer; `ageMs` is how far it may lag where memory or a replica gave a part of it. */
export type Aged<T> = { readonly answer: T; readonly ageMs: number | undefined };
