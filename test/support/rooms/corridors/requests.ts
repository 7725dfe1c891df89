/** Requests that limit and stop and start a client that nobody is, that freeze a corridor, and that are refused. */
import type { Kind } from '../../../../src/core/domain/control-kinds.ts';
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

export function controlRequests(market: string): Call[] {
  const put = (kind: string, scope: string, body: object) =>
    callOf('PUT', `/v1/controls/${kind}/${scope}`, { in_force: true, reason: 'why', ...body });
  const end = (kind: string, scope: string) => put(kind, scope, { in_force: false });
  const post = (path: string, body: unknown) => callOf('POST', path, body);
  const ends_at = new Date(Date.now() + 60_000).toISOString();
  const aLimit = { rate_per_second: 5, burst: 10 };
  const [phil, none] = ['corridor:US-PH', 'corridor:XX-XX'];
  const note = (kind: string, scope: string, text: string) =>
    post(`/v1/controls/${kind}/${scope}/notes`, { note: text });
  return [
    put('limit-requests', 'client:nobody', aLimit),
    end('limit-requests', 'client:nobody'),
    end('limit-requests', 'client:nobody'),
    put('limit-requests', 'client:nobody', { ...aLimit, burst: 0 }),
    put('limit-requests', none, aLimit),
    put('throttle', phil, { ...aLimit, ends_at }),
    put('throttle', phil, { ...aLimit, rate_per_second: 6, ends_at }),
    put('throttle', phil, aLimit),
    put('auto-freeze', phil, { disputes: 10, sources: ['chargeback'], ends_at }),
    put('auto-freeze', phil, { disputes: 10, sources: ['review'], ends_at }),
    put('auto-freeze', 'market', { disputes: 10, sources: ['chargeback'], ends_at }),
    callOf('GET', `/v1/markets/${market}/checklist?transactions_per_day=100&review_share=0.1`),
    callOf('GET', `/v1/markets/${market}/checklist?review_share=2`),
    callOf('GET', '/v1/markets/none/checklist'),
    post(`/v1/markets/${market}/drills`, { drill: 'backup', note: 'Restored the dump.' }),
    post(`/v1/markets/${market}/drills`, { drill: 'none', note: 'why' }),
    post('/v1/markets/none/drills', { drill: 'backup', note: 'why' }),
    post('/v1/corridors', { id: 'US-BR', reason: 'why' }),
    post('/v1/corridors', { id: 'US-BR', reason: 'why' }),
    post('/v1/corridors', { id: 'brazil', reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-EG', { weight: 2, residency: null, reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-EG', { weight: 0, reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-PH', { shards: 2, reason: 'why' }),
    callOf('PUT', '/v1/corridors/US-PH', { shards: 3, reason: 'why' }),
    callOf('PUT', '/v1/corridors/XX-XX', { reason: 'why' }),
    put('off', 'flag:totals', {}),
    end('off', 'flag:totals'),
    put('off', 'flag:nothing', {}),
    put('read-only', phil, {}),
    end('read-only', phil),
    put('read-only', none, {}),
    put('emergency', phil, {}),
    put('tighten', phil, { points: 50, ends_at }),
    put('tighten', phil, { points: 40, ends_at }),
    put('tighten', phil, { points: 501, ends_at }),
    put('tighten', none, { points: 50, ends_at }),
    end('tighten', phil),
    put('manual', phil, { from_amount: '100', ends_at }),
    put('manual', phil, { from_amount: '100.5', ends_at }),
    put('manual', phil, { from_amount: '-1', ends_at }),
    put('manual', none, { from_amount: '100', ends_at }),
    end('manual', phil),
    post('/v1/suggestions/errors:GB-PK/apply', { reason: 'why' }),
    post('/v1/suggestions/disputes:US-PH/apply', { reason: 'why' }),
    post('/v1/suggestions/disputes:US-PH/apply', {}),
    put('unlearnt', 'client:nobody', { received_days: 3 }),
    put('unlearnt', 'client:nobody', { received_days: 0 }),
    end('unlearnt', 'client:nobody'),
    put('scorecard', 'model:scorecard-policy@1', { ends_at }),
    put('stop', 'client:nobody', { message: 'wait' }),
    end('stop', 'client:nobody'),
    put('stop', 'client:nobody', { in_force: 1 }),
    put('nothing', 'client:nobody', {}),
    put('stop', none, {}),
    put('freeze', none, {}),
    put('freeze', phil, {}),
    note('freeze', phil, 'All cards are of one bank.'),
    note('freeze', phil, ''),
    note('freeze', 'corridor:US-EG', 'why'),
    note('freeze', 'market', 'why'),
    note('freeze', none, 'why'),
    callOf('GET', `/v1/controls/freeze/${phil}/history`),
    end('freeze', phil),
    end('freeze', 'corridor:US-EG'),
    put('freeze', phil, { in_force: false, reason: 1 }),
    end('freeze', 'market'),
    put('freeze', 'market', { reason: 1 }),
    // Last, as nothing is accepted afterwards.
    put('freeze', 'market', {}),
    note('freeze', 'market', 'why'),
    post('/v1/markets/none/rollback', { reason: 'why' }),
    post('/v1/months/none/drop', { reason: 'why' }),
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

/** Sets a control of a scope, or ends it where `in_force` is false. */
export const putControl = (
  api: Pick<RunningApi, 'request'>,
  kind: Kind,
  scope: string,
  body: object = {},
  key?: string,
) =>
  send(
    api,
    'PUT',
    `/v1/controls/${kind}/${scope}`,
    { in_force: true, reason: 'a test', ...body },
    key,
  );

export const endControl = (
  api: Pick<RunningApi, 'request'>,
  kind: Kind,
  scope: string,
  key?: string,
) => putControl(api, kind, scope, { in_force: false, reason: 'over' }, key);

/** Sets a limit, and waits until the API has read it. */
export async function limitScope(
  api: Pick<RunningApi, 'request' | 'log'>,
  kind: Kind,
  scope: string,
  rate: object,
): Promise<void> {
  const before = api.log().split('"msg":"controls"').length;
  const { status } = await putControl(api, kind, scope, rate);
  if (status !== 200) throw new Error(`the limit of ${scope} is answered ${status}`);
  const isRead = async () => api.log().split('"msg":"controls"').length > before;
  await waitUntil(isRead, 5000, 'the limit to be read');
}
