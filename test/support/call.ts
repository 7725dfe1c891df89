/** Requests that tests list before they send them. */

/** A request, with its headers and its body. */
export type Call = readonly [
  method: string,
  path: string,
  init?: { readonly headers?: Record<string, string>; readonly body?: string },
];

/** @param body is sent as JSON */
export function callOf(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Call {
  if (body === undefined) return [method, path];
  const typed = { 'Content-Type': 'application/json', ...headers };
  return [method, path, { headers: typed, body: JSON.stringify(body) }];
}
