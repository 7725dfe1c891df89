/** Answers that never change: an entity tag from the body, and 304 for who has it already. */
import { hash } from 'node:crypto';
import type { Context } from 'hono';
import type { AppEnv } from './app-env.ts';

const MAX_AGE_SECONDS = 3600;
const TAG_CHARS = 22;

/** JSON that a client may keep: `private`, as it was read with a key. */
export function immutableJson(c: Context<AppEnv>, value: unknown): Response {
  const body = JSON.stringify(value);
  const tag = `"${hash('sha256', body, 'base64url').slice(0, TAG_CHARS)}"`;
  c.header('ETag', tag);
  c.header('Cache-Control', `private, max-age=${MAX_AGE_SECONDS}, immutable`);
  if (matches(c.req.header('if-none-match'), tag)) return c.body(null, 304);
  return c.body(body, 200, { 'Content-Type': 'application/json' });
}

/** If-None-Match compares weakly: a proxy may have marked the tag. */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((given) => {
    const trimmed = given.trim();
    return trimmed === '*' || trimmed === tag || trimmed === `W/${tag}`;
  });
}
