/** Requests about a webhook whose answers the document has to have: from its making to its end, and what is refused. */
import { type Call, callOf } from '../../call.ts';
import type { RunningApi } from '../../running-api.ts';
import { answerOf } from '../../submit.ts';

/** The requests, in this order, to an API that lets webhooks reach this machine. */
export async function webhookRequests({ post }: Pick<RunningApi, 'post'>): Promise<Call[]> {
  const wanted = { url: 'http://127.0.0.1:9/', event_types: ['transaction.decided'] };
  const { body } = await answerOf(await post('/v1/webhooks', wanted));
  const path = `/v1/webhooks/${body.webhook_id}`;
  const sent = await answerOf(await post(`${path}/test`, {}));
  const change = { paused: true };
  const requests: Parameters<typeof callOf>[] = [
    ['POST', '/v1/webhooks', { ...wanted, verdicts: ['approve'], corridors: ['US-EG'] }],
    ['POST', '/v1/webhooks', { ...wanted, url: 'http://10.0.0.1/' }],
    ['POST', '/v1/webhooks', { ...wanted, event_types: ['alert.raised'], client: 'shop' }],
    ['GET', '/v1/webhooks'],
    ['GET', path],
    ['POST', path, change],
    ['POST', path, { paused: 1 }],
    ['POST', path, {}],
    ['POST', `${path}/rotate`],
    ['POST', `${path}/test`],
    ['GET', `${path}/deliveries?state=waiting&limit=1`],
    ['GET', `${path}/deliveries?cursor=x`],
    ['POST', `${path}/deliveries/${sent.body.delivery_id}/redeliver`],
    ['POST', `${path}/deliveries/999/redeliver`],
    ['POST', `${path}/deliveries/x/redeliver`],
    ['DELETE', path],
    ['DELETE', path],
    ['GET', path],
    ['GET', `${path}/deliveries`],
    ['POST', path, change],
    ['POST', `${path}/rotate`],
    ['POST', `${path}/test`],
    ['GET', '/v1/webhooks/x'],
  ];
  return requests.map((request) => callOf(...request));
}
