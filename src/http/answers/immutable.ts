/** Answers that never change: an entity tag from the body, and 304 for a client that has it already. */
import { hash } from 'node:crypto';
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import { answerJson } from './headers.ts';

const MAX_AGE_SECONDS = 3600;
const TAG_CHARS = 22;

/** The body as it was first written: values in memory are asked for again and again. */
type Rendered = {
  readonly body: string;
  readonly headers: { readonly ETag: string; readonly 'Cache-Control': string };
};
/** Each body lives as long as its value, whose cache is bounded. */
const rendered = new WeakMap<object, Rendered>();

/** JSON that a client may cache: `private`, as it was read with a key. The value must never change. */
export function immutableJson(c: Context<AppEnv>, value: object): Response {
  const { body, headers } = render(value);
  if (matches(c.req.header('if-none-match'), headers.ETag)) {
    return new Response(null, { status: 304, headers });
  }
  return answerJson(body, 200, headers);
}

function render(value: object): Rendered {
  const known = rendered.get(value);
  if (known !== undefined) return known;
  const body = JSON.stringify(value);
  const made = {
    body,
    headers: {
      ETag: `"${hash('sha256', body, 'base64url').slice(0, TAG_CHARS)}"`,
      'Cache-Control': `private, max-age=${MAX_AGE_SECONDS}, immutable`,
    },
  };
  rendered.set(value, made);
  return made;
}

/** If-None-Match compares weakly: a proxy may have marked the tag. */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((given) => {
    const trimmed = given.trim();
    return trimmed === '*' || trimmed === tag || trimmed === `W/${tag}`;
  });
}
