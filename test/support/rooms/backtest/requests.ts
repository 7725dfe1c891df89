/** Requests about backtests whose answers the document has to have: from the question to its end, and what is refused. */
import type { RunningApi } from '../../running-api.ts';
import { answerOf } from '../../submit.ts';

type Call = readonly [
  method: string,
  path: string,
  init?: { headers: Record<string, string>; body: string },
];

export async function backtestRequests({ post }: Pick<RunningApi, 'post'>): Promise<Call[]> {
  const asked = { from: '2026-11-01', to: '2026-11-02', rule_set: 'default@3' };
  const { body } = await answerOf(await post('/v1/backtests', asked));
  const path = `/v1/backtests/${body.backtest_id}`;
  const unknown = '/v1/backtests/00000000-0000-0000-0000-000000000000';
  const headers = { 'Content-Type': 'application/json' };
  const send = (content: object): Call => [
    ...(['POST', '/v1/backtests', { headers, body: JSON.stringify(content) }] as const),
  ];
  return [
    send(asked),
    send({ ...asked, rule_set: 'nobody@1' }),
    send({ ...asked, to: '2026-11-01' }),
    ['GET', '/v1/backtests'],
    ...[path, unknown, '/v1/backtests/x'].map((one): Call => ['GET', one]),
    ...[path, path, unknown].map((one): Call => ['POST', `${one}/cancel`]),
  ];
}
