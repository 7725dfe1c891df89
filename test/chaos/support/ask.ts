/** Requests to an API beside the load of a scenario. */

type Asked = {
  readonly url: string;
  readonly apiKey: string;
  readonly signal?: AbortSignal;
};

/** The answer of an API, as JSON; throws where the API refuses. */
export async function askApi<T>(
  { url, apiKey, signal }: Asked,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}
