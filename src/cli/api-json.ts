/** How commands ask a running API: one connection, JSON both ways, a refusal as a Failure. */

import { createApiClient, refusal } from '../client/api-client.ts';
import { Failure } from '../domain/failure.ts';
import type { CommandContext } from './command.ts';
import { apiUrlOption } from './file-options.ts';

/** Fields of a JSON answer; commands show them, so their types are the API's affair. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type AskApi = (method: 'GET' | 'POST', path: string, body?: object) => Promise<JsonObject>;

/** Runs `work` with a connection to `--url` (RISK_URL), authenticated by RISK_API_KEY. */
export async function withApi<T>(
  { config, signal }: CommandContext,
  url: string | undefined,
  work: (ask: AskApi) => Promise<T>,
): Promise<T> {
  const key = config.RISK_API_KEY;
  using client = createApiClient({ url: apiUrlOption(url, config), key, connections: 1, signal });
  return await work(async (method, path, body) => {
    const answer = await client.send({
      method,
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 400) throw refusal(answer);
    const value: unknown = JSON.parse(answer.text);
    if (typeof value === 'object' && value !== null) return { ...value };
    throw new Failure('invalid', 'API_ANSWER', 'the API answered something that is no object');
  });
}

/** A list of the answer; empty when it has none of that name. */
export function rowsOf(answer: JsonObject, field: string): JsonObject[] {
  const value = answer[field];
  return Array.isArray(value) ? value.filter((row) => typeof row === 'object' && row !== null) : [];
}

/** `?a=1&b=2` of the options that were given. */
export function queryString(
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
