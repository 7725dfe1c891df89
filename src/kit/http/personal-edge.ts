/** Personal fields at the edge: clear values become tokens where they enter, and only their own client reads them back. */
import type { Context, MiddlewareHandler } from 'hono';
import type { PersonalEdge } from '../words/personal-edge.ts';
import { clientSeen, type Role } from '../words/principal.ts';
import type { AppEnv } from './app-env.ts';

/** Sets what handlers translate with; nothing where no field is declared. */
export function translatePersonal(current: () => PersonalEdge | null): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const edge = current();
    if (edge !== null) c.set('personal', edge);
    await next();
  };
}

/** A question as the stores know it. */
export async function withTokens<Fields>(c: Context<AppEnv>, fields: Fields): Promise<Fields> {
  const edge = c.get('personal');
  if (edge === undefined || typeof fields !== 'object' || fields === null) return fields;
  // Bodies of many, as of labels, name no personal field.
  if (Array.isArray(fields)) return fields;
  return await edge.find(fields);
}

/** The id of a party in a question, as the stores know it. @param party account, merchant or device */
export async function partyToken(c: Context<AppEnv>, party: string, id: string): Promise<string> {
  const { [`${party}_id`]: token = id } = await withTokens(c, { [`${party}_id`]: id });
  return token;
}

/** The token that a later transaction with the value will have in the field. */
export async function keptToken(c: Context<AppEnv>, field: string, value: string): Promise<string> {
  const edge = c.get('personal');
  if (edge?.declares(field) !== true) return value;
  const [token = value] = await edge.tokensOf(field, [value]);
  return token;
}

const JSON_TYPE = /^application\/json\b/;

/** An answer about the caller's own client, to a caller that sees nothing else, with the values that it has sent. */
export async function revealOwn(
  c: Context<AppEnv>,
  roles: readonly Role[],
  answer: Response,
): Promise<Response> {
  const edge = c.get('personal');
  const isOwn = roles.includes('ingest') && clientSeen(c.get('principal')) !== null;
  if (edge === undefined || !isOwn || answer.body === null) return answer;
  if (!JSON_TYPE.test(answer.headers.get('content-type') ?? '')) return answer;
  const { status, headers } = answer;
  const own = new Headers(headers);
  own.delete('content-length');
  const text = await answer.text();
  const revealed = await edge.reveal(text);
  if (revealed !== text) {
    // An erasure ends what the caller may be told, and the tag is that of the tokens.
    own.delete('etag');
    own.set('cache-control', 'private, no-store');
  }
  return new Response(revealed, { status, headers: own });
}
