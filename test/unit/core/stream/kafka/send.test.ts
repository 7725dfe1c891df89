/** Goal: a topic that is denied fails its own records alone, and costs one call a second. */
import { expect, test, vi } from 'vitest';
import { createSend } from '../../../../../src/core/stream/kafka/clients.ts';

const recordOf = (topic: string) => ({
  ...{ topic, partition: 0, key: 'k', value: Buffer.from('x'), headers: {} },
});
const denial = Object.assign(new Error('no'), { apiId: 'TOPIC_AUTHORIZATION_FAILED' });

/** Sends where a broker fails each call that names a topic with this failure. */
function openSend(failing: string, failure: Error) {
  const calls: string[] = [];
  const { send } = createSend(
    async () =>
      ({
        close: async () => undefined,
        async send({ messages }: { messages: readonly { topic: string }[] }) {
          const topics = messages.map(({ topic }) => topic).join('');
          calls.push(topics);
          if (topics.includes(failing)) throw new AggregateError([failure], 'failed');
          return {};
        },
      }) as never,
  );
  const sendAll = async (topics: string) => await send([...topics].map(recordOf));
  return { calls, sendAll };
}

test('a topic that is denied fails its own records alone, and costs one call a second', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { calls, sendAll } = openSend('B', denial);
    const first = await sendAll('ABC');
    expect([...first.keys()]).toEqual(['B']);
    expect(first.get('B')).toMatchObject({ code: 'KAFKA_DENIED', kind: 'unavailable' });
    expect(calls.splice(0)).toEqual(['ABC', 'A', 'B', 'C']);
    expect([...(await sendAll('ABC'))]).toEqual([['B', null]]);
    expect(calls.splice(0)).toEqual(['AC']);
    vi.advanceTimersByTime(1500);
    expect((await sendAll('B')).get('B')).not.toBeNull();
    expect(calls).toEqual(['B']);
  } finally {
    vi.useRealTimers();
  }
});

test('any other failure fails the whole call', async () => {
  const { calls, sendAll } = openSend('B', new Error('gone'));
  await expect(sendAll('ABC')).rejects.toMatchObject({ code: 'KAFKA_FAILED' });
  expect(calls).toEqual(['ABC']);
});
