import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';

/**
 * Headers of answers that a client acts on, as the document describes them; test/contract/answers.test.ts compares them with what is
 * sent. `required`: every answer that lists the header has it.
 */
export const ANSWER_HEADERS = {
  'X-Request-Id': {
    description:
      "The request's id: the caller's own `X-Request-Id` where that is 1 to 64 letters, digits, dots, hyphens or underscores. Log lines and `instance` of a problem carry it.",
    required: true,
    schema: { type: 'string' },
    example: '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f',
  },
  'RateLimit-Policy': {
    description:
      'Limits of the key, the client and the market, or the one that refuses: `q` units in `w` seconds. Absent where no limit is set (`GET /v1/controls`).',
    schema: { type: 'string' },
    example: '"requests of client:shop";q=1000;w=10',
  },
  RateLimit: {
    description:
      'What is left of each: `r` units as far as the API process knows; after `t` seconds without a request the limit is whole again, or holds one unit where it is used up.',
    schema: { type: 'string' },
    example: '"requests of client:shop";r=999;t=1',
  },
  'X-Risk-Degradation': {
    description: 'Level of reduced service, 1 to 4; absent at 0.',
    schema: { type: 'integer', minimum: 1, maximum: 4 },
    example: 1,
  },
  'X-Risk-Stale-Since': {
    description:
      'The primary of Postgres is away, and a replica that holds everything stored before this moment has answered in its place. Absent otherwise.',
    schema: { type: 'string', format: 'date-time' },
    example: '2026-11-05T09:30:00.000Z',
  },
  'Retry-After': {
    description:
      'Seconds after which the same request may succeed. A 429 without it never passes whole.',
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  'WWW-Authenticate': {
    description: 'How to authenticate; with `error="invalid_token"` where a key was sent.',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer realm="risk"',
  },
  ETag: {
    description: 'Tag of the body in its encoding, for `If-None-Match` and `If-Match`.',
    required: true,
    schema: { type: 'string' },
    example: '"Zk1pWmYyT0Q0c2VjdXJlXw"',
  },
  'Cache-Control': {
    description:
      'How long the caller may use the answer without asking; `no-cache`: it asks each time, with `If-None-Match`. `no-store` in every other answer.',
    required: true,
    schema: { type: 'string' },
    example: 'private, max-age=86400, immutable',
  },
  Vary: {
    description: 'What the answer depends on beside its path.',
    required: true,
    schema: { type: 'string' },
    example: 'Authorization, Cookie, Risk-Market, Accept-Encoding',
  },
  Age: {
    description:
      'Seconds since the answer was made, plus the lag of the replica of Postgres that gave a part of it; absent where the primary gave the answer for this request. The answer holds everything that was stored longer ago. Rows whose created_at is less than five minutes ago come from a replica only with `X-Risk-Stale-Since`. Changes that are older than a second are in the answer all the same; only times such as `as_of` may be older.',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  'Content-Disposition': {
    description: 'Name of the file.',
    required: true,
    schema: { type: 'string' },
    example: 'attachment; filename="transactions.csv"',
  },
  Location: {
    description: 'Path of the transaction.',
    required: true,
    schema: { type: 'string' },
    example: '/v1/transactions/01a1f84a-95c0-7000-8000-00000000002a',
  },
  'Set-Cookie': {
    description:
      'The cookie of the session that begins, or an empty one where the own session ends.',
    schema: { type: 'string' },
    example: '__Host-risk-session=…; Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Strict',
  },
  'Preference-Applied': {
    description:
      'The preference that was applied, with the wait as it was cut (RFC 7240). Absent where none was.',
    schema: { type: 'string' },
    example: 'wait=2',
  },
} as const;

type AnswerHeader = keyof typeof ANSWER_HEADERS;

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Headers of an answer, for its entry in the document. */
export function answerHeaders(
  ...names: readonly AnswerHeader[]
): Record<string, { readonly $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Headers of every answer at a path. */
export function usualHeaders(path: string): ReturnType<typeof answerHeaders> {
  return path.startsWith('/v1/')
    ? answerHeaders(
        'X-Request-Id',
        'RateLimit-Policy',
        'RateLimit',
        'X-Risk-Degradation',
        'X-Risk-Stale-Since',
      )
    : answerHeaders('X-Request-Id');
}

/**
 * Adds the header `Age`, where there is an age, and returns the answer. `Age` is in whole seconds, rounded up: the answer includes
 * everything that was stored longer ago.
 */
export function sayAge<T>(c: Context<AppEnv>, { answer, ageMs }: Aged<T>): T {
  if (ageMs !== undefined) addHeaders(c, [['Age', String(Math.ceil(ageMs / 1000))]]);
  return answer;
}

/** Headers of answers that a replica may give, for the document. */
export const ageHeaders = answerHeaders('Age');

/** An answer; `ageMs` is how far it may lag where memory or a replica gave a part of it. */
type Aged<T> = { readonly answer: T; readonly ageMs: number | undefined };

/**
 * Adds headers to an answer that is not sent yet; headers that the answer has stay. Node gets them where there is a server, as an
 * object of fetch's `Headers` takes 4 µs to fill, a tenth of what a single post costs the edge.
 */
export function addHeaders(c: Context<AppEnv>, headers: HeaderList): void {
  const outgoing = c.env?.outgoing;
  if (outgoing === undefined) {
    const own = c.res.headers;
    const missing = headers.filter(([name]) => !own.has(name));
    for (const [name, value] of missing) own.set(name, value);
  } else if (!outgoing.headersSent) {
    // The answer's own headers replace these when its head is written.
    for (const [name, value] of headers) outgoing.setHeader(name, value);
  }
}

/** A JSON answer in one piece, with all its headers. */
export function answerJson(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(text, {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}
