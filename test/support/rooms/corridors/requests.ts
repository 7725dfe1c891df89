/** Requests that limit and stop and start a client that nobody is, that freeze a corridor, and that are refused. */
import { type Call, callOf } from '../../call.ts';
import type { RunningApi } from '../../running-api.ts';
import { idAt } from '../../stored-rows.ts';
import { send } from '../../submit.ts';
import { waitUntil } from '../../wait-until.ts';

/** So many dead letters that a freeze of their corridor is proposed, which one of the requests confirms. */
export const failures = (corridor: string, failedAtMs: number) =>
  Array.from({ length: 20 }, (_, nth) => ({
    ...{ id: idAt(failedAtMs, 20 + nth), transactionId: null, failedAtMs, corridor },
  }));

export function switchRequests(market: string): Call[] {
  const put = (scope: string, body: unknown) => callOf('PUT', `/v1/switches/${scope}`, body);
  const post = (path: string, body: unknown) => callOf('POST', path, body);
  const limit = (scope: string, body: unknown) => callOf('PUT', `/v1/limits/${scope}`, body);
  const flag = (name: string, body: unknown) => callOf('PUT', `/v1/flags/${name}`, body);
  const level = (scope: string, body: unknown) => callOf('PUT', `/v1/degradation/${scope}`, body);
  const ends_at = new Date(Date.now() + 60_000).toISOString();
  const tighten = (corridor: string, points: number) =>
    post(`/v1/corridors/${corridor}/tighten`, { points, reason: 'why', ends_at });
  const manual = (corridor: string, from_amount: string) =>
    post(`/v1/corridors/${corridor}/manual`, { from_amount, reason: 'why', ends_at });
  const aLimit = { kind: 'requests', rate_per_second: 5, burst: 10, reason: 'why' };
  return [
    limit('client:nobody', aLimit),
    limit('client:nobody', { kind: 'requests', reason: 'why' }),
    limit('client:nobody', { kind: 'requests', reason: 'why' }),
    limit('client:nobody', { ...aLimit, burst: 0 }),
    limit('corridor:XX-XX', aLimit),
    limit('throttle:corridor:US-PH', { ...aLimit, kind: 'transactions', ends_at }),
    limit('throttle:corridor:US-PH', {
      ...aLimit,
      kind: 'transactions',
      rate_per_second: 6,
      ends_at,
    }),
    limit('throttle:corridor:US-PH', { ...aLimit, kind: 'transactions' }),
    post('/v1/corridors', { id: 'US-BR', reason: 'why' }),
    post('/v1/corridors', { id: 'US-BR', reason: 'why' }),
    post('/v1/corridors', { id: 'brazil', reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-EG', { weight: 2, residency: null, reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-EG', { weight: 0, reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-PH', { shards: 2, reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-PH', { shards: 3, reason: 'why' }),
    callOf('PUT', '/v1/corridors/XX-XX', { reason: 'why' }),
    flag('totals', { enabled: false, reason: 'why' }),
    flag('totals', { enabled: true, reason: 'why' }),
    level('corridor:US-PH', { level: 3, reason: 'why' }),
    level('corridor:US-PH', { level: 0, reason: 'why' }),
    level('corridor:US-PH', { level: 2, reason: 'why' }),
    level('corridor:XX-XX', { level: 3, reason: 'why' }),
    tighten('US-PH', 50),
    tighten('US-PH', 40),
    tighten('US-PH', 501),
    tighten('XX-XX', 50),
    put('tighten:corridor:US-PH', { stopped: false, reason: 'why' }),
    manual('US-PH', '100'),
    manual('US-PH', '100.5'),
    manual('US-PH', '-1'),
    manual('XX-XX', '100'),
    put('manual:corridor:US-PH', { stopped: false, reason: 'why' }),
    post('/v1/proposals/errors:GB-PK/confirm', { reason: 'why' }),
    post('/v1/proposals/disputes:US-PH/confirm', { reason: 'why' }),
    post('/v1/proposals/disputes:US-PH/confirm', {}),
    flag('nothing', { enabled: true, reason: 'why' }),
    put('client:nobody', { stopped: true, reason: 'why', message: 'wait' }),
    put('client:nobody', { stopped: false, reason: 'why' }),
    put('client:nobody', { stopped: 1 }),
    put('corridor:XX-XX', { stopped: true, reason: 'why' }),
    post('/v1/corridors/XX-XX/freeze', { reason: 'why' }),
    post('/v1/corridors/US-PH/freeze', { reason: 'why' }),
    post('/v1/corridors/US-PH/notes', { note: 'All cards are of one bank.' }),
    post('/v1/corridors/US-PH/notes', { note: '' }),
    post('/v1/corridors/US-EG/notes', { note: 'why' }),
    post(`/v1/markets/${market}/notes`, { note: 'why' }),
    post('/v1/markets/none/notes', { note: 'why' }),
    callOf('GET', '/v1/corridors/US-PH/freezes'),
    post('/v1/corridors/US-PH/resume', { reason: 'why' }),
    post('/v1/corridors/US-EG/resume', { reason: 'why' }),
    post('/v1/corridors/US-PH/resume', { reason: 1 }),
    post(`/v1/markets/${market}/resume`, { reason: 'why' }),
    post('/v1/markets/none/resume', { reason: 'why' }),
    post(`/v1/markets/${market}/freeze`, { reason: 1 }),
    // Last, as nothing is accepted afterwards.
    post(`/v1/markets/${market}/freeze`, { reason: 'why' }),
    post(`/v1/markets/${market}/notes`, { note: 'why' }),
    ['GET', '/v1/markets/none/rollback'],
    ['GET', `/v1/markets/${market}/rollback`],
    post('/v1/markets/none/rollback', { reason: 'why' }),
    post(`/v1/markets/${market}/rollback`, { reason: 1 }),
    post(`/v1/markets/${market}/rollback`, { reason: 'why' }),
    post(`/v1/markets/${market}/rollback`, { reason: 'why' }),
    ...['/v1/holds', '/v1/holds?state=lifted', '/v1/holds?cursor=x'].map((path) =>
      callOf('GET', path),
    ),
    post('/v1/holds', { kind: 'account', subject: 'acc_9', reason: 'a court' }),
    post('/v1/holds', { kind: 'month', subject: '1999-01', reason: 'a court' }),
    post('/v1/holds', { kind: 'month', reason: 'a court' }),
    ...[1, 999].map((id) => post(`/v1/holds/${id}/lift`, { reason: 'closed' })),
  ];
}

/** Sets a limit, and waits until the API has read it. */
export async function limitScope(
  api: Pick<RunningApi, 'request' | 'log'>,
  scope: string,
  limit: object,
): Promise<void> {
  const before = api.log().split('"msg":"limits"').length;
  const change = { reason: 'a test', ...limit };
  const { status } = await send(api, 'PUT', `/v1/limits/${scope}`, change);
  if (status !== 200) throw new Error(`the limit of ${scope} is answered ${status}`);
  const isRead = async () => api.log().split('"msg":"limits"').length > before;
  await waitUntil(isRead, 5000, 'the limit to be read');
}

/** Sets a level by hand. */
export const setLevelOf = (api: RunningApi) => (scope: string, body: object, key?: string) =>
  send(api, 'PUT', `/v1/degradation/${scope}`, { reason: 'a test', ...body }, key);
