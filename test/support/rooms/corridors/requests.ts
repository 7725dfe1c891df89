/** Requests that stop and start a client that nobody is, and that are refused. */
type Call = [method: string, path: string, init: { headers: Record<string, string>; body: string }];

export function switchRequests(): Call[] {
  const put = (scope: string, body: unknown): Call => [
    'PUT',
    `/v1/switches/${scope}`,
    { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
  ];
  return [
    put('client:nobody', { stopped: true, reason: 'why', message: 'wait' }),
    put('client:nobody', { stopped: false, reason: 'why' }),
    put('client:nobody', { stopped: 1 }),
    put('corridor:XX-XX', { stopped: true, reason: 'why' }),
  ];
}
