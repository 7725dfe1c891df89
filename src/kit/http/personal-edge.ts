/** Personal fields at the HTTP edge: clear values become tokens on entry, and only their own client reads them in answers. */
import type { Context, MiddlewareHandler } from 'hono';
import { isPrimaryAway } from '../process/primary-away.ts';
import type { PersonalEdge } from '../words/personal-edge.ts';
import { clientSeen, type Role } from '../words/principal.ts';
import { unavailable } from './answers/problem.ts';
import type { AppEnv } from './app-env.ts';

/** Sets `personal` for handlers where the market declares a field. */
export function translatePersonal(current: () => PersonalEdge | null): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const edge = current();
    if (edge !== null) c.set('personal', edge);
    await next();
  };
}

/** The fields of a query with tokens, as the stores have them. */
export async function withTokens<Fields>(c: Context<AppEnv>, fields: Fields): Promise<Fields> {
  const edge = c.get('personal');
  if (edge === undefined || typeof fields !== 'object' || fields === null) return fields;
  // Bodies that are lists, such as labels, name no personal field.
  if (Array.isArray(fields)) return fields;
  return await edge.find(fields);
}

/** The id of a party as the stores have it. @param party account, merchant or device */
export async function partyToken(c: Context<AppEnv>, party: string, id: string): Promise<string> {
  const { [`${party}_id`]: token = id } = await withTokens(c, { [`${party}_id`]: id });
  return token;
}

/** The token of a value, made where the value is new, so that later transactions match it. */
export async function keptToken(c: Context<AppEnv>, field: string, value: string): Promise<string> {
  const edge = c.get('personal');
  if (edge?.declares(field) !== true) return value;
  const [token = value] = await edge.tokensOf(field, [value]);
  return token;
}

const JSON_TYPE = /^application\/json\b/;

/** Shows clear values in the answer to a caller that sees only transactions of its own client. */
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
    // The replica may lack the erasure of a value.
    if (isPrimaryAway()) throw unavailable('Clear values are not shown while the primary is away.');
    // An erasure ends what the caller may be told, and the tag is that of the tokens.
    own.delete('etag');
    own.set('cache-control', 'private, no-store');
  }
  return new Response(revealed, { status, headers: own });
}
