/** Requests about backtests whose answers the document has to have: from the question to its end, and what is refused. */
import { type Call, callOf } from '../../call.ts';
import type { RunningApi } from '../../running-api.ts';
import { answerOf } from '../../submit.ts';

export async function backtestRequests({
  post,
  database,
}: Pick<RunningApi, 'post' | 'database'>): Promise<Call[]> {
  const asked = { from: '2026-11-01', to: '2026-11-02', rule_set: 'default@4' };
  const { body } = await answerOf(await post('/v1/backtests', asked));
  const path = `/v1/backtests/${body.backtest_id}`;
  const done = (await answerOf(await post('/v1/backtests', asked))).body.backtest_id;
  await database.query(
    {
      text: `update market.backtests set state = 'done', ended_at = now(), report_sha256 = '', report = '{"rows":0}' where backtest_id = $1`,
    },
    [done],
  );
  const bands = 'bands?review=400&decline=900';
  const unknown = '/v1/backtests/00000000-0000-0000-0000-000000000000';
  const send = (content: object) => callOf('POST', '/v1/backtests', content);
  return [
    send(asked),
    send({ ...asked, rule_set: 'nobody@1' }),
    send({ ...asked, to: '2026-11-01' }),
    send({ ...asked, model: 'scorecard', review_from: 0.5 }),
    send({ ...asked, review_from: 0.5, decline_from: 0.4 }),
    ['GET', '/v1/backtests'],
    ...[path, unknown, '/v1/backtests/x'].map((one): Call => ['GET', one]),
    ...[`/v1/backtests/${done}`, path, unknown].map((one): Call => ['GET', `${one}/${bands}`]),
    ['GET', `${path}/bands?review=900&decline=400`],
    ...[path, path, unknown].map((one): Call => ['POST', `${one}/cancel`]),
    ...[path, path, unknown].map((one): Call => ['POST', `${one}/resume`]),
  ];
}
