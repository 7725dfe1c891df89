/** Requests that stop and start a client that nobody is, that freeze a corridor, and that are refused. */
type Call = [method: string, path: string, init: { headers: Record<string, string>; body: string }];

export function switchRequests(market: string): Call[] {
  const send = (method: string, path: string, body: unknown): Call => [
    method,
    path,
    { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
  ];
  const put = (scope: string, body: unknown) => send('PUT', `/v1/switches/${scope}`, body);
  const post = (path: string, body: unknown) => send('POST', path, body);
  return [
    put('client:nobody', { stopped: true, reason: 'why', message: 'wait' }),
    put('client:nobody', { stopped: false, reason: 'why' }),
    put('client:nobody', { stopped: 1 }),
    put('corridor:XX-XX', { stopped: true, reason: 'why' }),
    post('/v1/corridors/XX-XX/freeze', { reason: 'why' }),
    post('/v1/corridors/US-PH/freeze', { reason: 'why' }),
    post('/v1/corridors/US-PH/resume', { reason: 'why' }),
    post('/v1/corridors/US-EG/resume', { reason: 'why' }),
    post('/v1/corridors/US-PH/resume', { reason: 1 }),
    post(`/v1/markets/${market}/resume`, { reason: 'why' }),
    post('/v1/markets/none/resume', { reason: 'why' }),
    post(`/v1/markets/${market}/freeze`, { reason: 1 }),
    // Last, as nothing is accepted afterwards.
    post(`/v1/markets/${market}/freeze`, { reason: 'why' }),
  ];
}
