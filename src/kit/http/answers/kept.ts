/** Answers that a client may keep: an entity tag from the body, and 304 for a client that has it already. */
import { hash } from 'node:crypto';
import type { Context } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import type { AnswerText } from '../../caches/answer-cache.ts';
import { shown } from '../../words/list-parameters.ts';
import type { AppEnv } from '../app-env.ts';
import { ANSWER_HEADERS, type answerHeaders, answerJson } from './answer-headers.ts';
import { encodedTag, encodingOfWhole } from './encoding.ts';

const TAG_CHARS = 22;

/** `private`, where the answer was read with a key. */
export type Keeping = `${'private' | 'public'}, ${string}`;
/** The answer never changes: a score is kept for a day. */
export const KEEP_A_DAY: Keeping = 'private, max-age=86400, immutable';
/** The answer changes with the version of the engine alone. */
export const KEEP_AN_HOUR: Keeping = 'private, max-age=3600';
/** The build alone decides the answer, which needs no key: edges keep it for all. */
export const KEEP_FOR_ALL: Keeping = 'public, max-age=3600';
/** The client keeps the answer, and asks each time whether it is still the same. */
export const ASK_AGAIN: Keeping = 'private, no-cache';

type KeptHeaders = Readonly<Record<'ETag' | 'Cache-Control' | 'Vary', string>>;
/** Texts in memory are asked for again and again; headers live as long as their text. */
const headersOfText = new WeakMap<AnswerText, KeptHeaders>();

/** The headers of a text, made once. */
function headersOf(answer: AnswerText, keeping: Keeping): KeptHeaders {
  let headers = headersOfText.get(answer);
  if (headers === undefined) {
    const tag = hash('sha256', answer.text, 'base64url').slice(0, TAG_CHARS);
    headers = {
      ETag: `"${tag}"`,
      'Cache-Control': keeping,
      Vary: keeping.startsWith('public')
        ? 'Accept-Encoding'
        : 'Authorization, Cookie, Risk-Market, Accept-Encoding',
    };
    headersOfText.set(answer, headers);
  }
  return headers;
}

export const isKeptText = (answered: object | undefined): answered is AnswerText =>
  answered !== undefined && 'text' in answered;

export function answerKept(c: Context<AppEnv>, answer: AnswerText, keeping: Keeping): Response {
  const headers = headersOf(answer, keeping);
  const given = c.req.header('if-none-match');
  if (given !== undefined) {
    const encoding = encodingOfWhole(c, Buffer.byteLength(answer.text));
    const own = encoding === undefined ? [] : [encodedTag(headers.ETag, encoding)];
    const ETag = matching(given, [...own, headers.ETag]);
    if (ETag !== undefined)
      return new Response(null, { status: 304, headers: { ...headers, ETag } });
  }
  return answerJson(answer.text, 200, headers);
}

/**
 * The tag that the caller has: of the answer as it would be sent to this request, or without an encoding, as an answer from memory may
 * have been. If-None-Match compares weakly: a proxy may have marked the tag.
 */
function matching(header: string, tags: readonly string[]): string | undefined {
  const given = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return given.includes('*') ? tags[0] : tags.find((tag) => given.includes(tag));
}

/** For the document. */
export const conditionalHeader = z.object({
  'If-None-Match': z
    .string()
    .optional()
    .meta(shown(ANSWER_HEADERS.ETag.example, '`ETag` of the answer that the caller has.')),
});
/** The document has this header for each operation that is `matched`. */
export const matchHeader = z.object({
  'If-Match': z
    .string()
    .optional()
    .meta(shown(ANSWER_HEADERS.ETag.example, '`ETag` of what is changed; without it 412.')),
});

/** Answers of an operation by their status. */
export type Answers = {
  readonly [Each in 200 | 201 | 202 | 204 | 304]?: ZodOpenApiResponseObject;
};

/** Adds headers to the first answer, and the answer 304 for a client that keeps the first answer. */
export function withHeaders(
  answers: Answers,
  own: ReturnType<typeof answerHeaders>,
  kept: Keeping | undefined,
): Answers {
  const [[status, first] = ['200', { description: '' }]] = Object.entries(answers);
  const headers = { ...own, ...first.headers };
  const unchanged = { 304: { description: 'You have the answer already.', headers } };
  return { ...answers, [status]: { ...first, headers }, ...(kept && unchanged) };
}
