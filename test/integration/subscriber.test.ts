/** Goal: a process outlives a connection that is lost while it subscribes again. Method: a proxy cuts where the subscription passes. */
import { expect, test } from 'vitest';
import { openSubscriber } from '../../src/kit/redis/connection.ts';
import { startTestRedis } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const MS_MAX = 30_000;

test('a subscription that is lost on its way rejects nothing that nobody awaits', async () => {
  await using redis = await startTestRedis();
  await using proxy = await startTcpProxy(redis.url);
  const subscriber = openSubscriber(proxy.url, MS_MAX);
  let subscribed = 0;
  subscriber.on('ready', () => {
    subscriber.subscribe('answers').then(
      () => subscribed++,
      () => undefined,
    );
  });
  await waitUntil(() => subscribed === 1, MS_MAX, 'the subscription');
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  proxy.inflict({ kind: 'cut', at: 'subscribe', forwarded: false, times: 2 });
  subscriber.disconnect(true);
  await waitUntil(() => subscribed === 2, MS_MAX, 'the subscription behind the cuts');
  expect([proxy.effects(), unhandled]).toEqual([2, []]);
  process.off('unhandledRejection', note);
  subscriber.disconnect();
});
