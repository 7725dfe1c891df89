/** How commands ask a running API: an operation by its name in the document, with the types that follow from it. */
import { type ApiClient, type ApiRequest, notTheContract, refusal } from './api-client.ts';
import type { Operations } from './api-types.ts';

type OperationName = keyof Operations & `${ApiRequest['method']} ${string}`;

/** @throws Failure for a refusal, with the API's own words */
export type AskApi = <Name extends OperationName>(
  name: Name,
  call: Operations[Name]['call'],
) => Promise<Operations[Name]['answer']>;

export type Call = {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
};

export function createAsk(client: Pick<ApiClient, 'send'>): AskApi {
  return async <Name extends OperationName>(name: Name, call: Operations[Name]['call']) => {
    const [method, path = ''] = name.split(' ');
    // The tests of the API compare its answers with the document, of which the type is made.
    return (await callApi(
      client,
      { method: methodOf(method), path },
      call,
    )) as Operations[Name]['answer'];
  };
}

const NO_CONTENT = 204;

const methodOf = (word = ''): ApiRequest['method'] =>
  word === 'POST' || word === 'PUT' || word === 'DELETE' ? word : 'GET';

/** @returns the object of the answer; undefined where the answer has none. @throws Failure for a refusal */
export async function callApi(
  client: Pick<ApiClient, 'send'>,
  { method, path: pattern }: Pick<ApiRequest, 'method' | 'path'>,
  { path: names = {}, query = {}, headers = {}, body }: Call,
): Promise<unknown> {
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, field) =>
    encodeURIComponent(String(names[field] ?? '')),
  );
  const answer = await client.send({
    method,
    headers,
    path: path + queryString(query),
    ...(body && { body }),
  });
  if (answer.status >= 400) throw refusal(answer);
  if (answer.body === undefined && answer.status !== NO_CONTENT) throw notTheContract();
  return answer.body;
}

/** `?a=1&b=2` of the parameters that are given. */
function queryString(parameters: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
