/**
 * Goal: after a failover of Redis everything works on the new primary within 10 s, though sockets to the old server stay open.
 * Method: two servers behind a proxy that leads new connections to the other one; the old one answers as one that is demoted, has
 * lost its primary, loads data, or has too few replicas.
 */
import { expect, test } from 'vitest';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { openReaderConnection } from '../../src/core/stream/group/reader-connection.ts';
import { repliesChannel, streamKeys } from '../../src/core/stream/keys.ts';
import { openReplies } from '../../src/core/stream/settle/replies.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/kit/redis/connection.ts';
import { follow } from '../support/replica.ts';
import { startRunningApi } from '../support/running-api.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { input, postOne } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const MOVED_MS = 10_000;
const TIMEOUT_MS = 2000;
const BLOCK_MS = 500;

const STREAMS = ['US-EG', 'US-MX'].map((corridor) => streamKeys('m', corridor, 0));
const NAMES = STREAMS.map(({ transactions }) => transactions);
/** Streams without a group, which a script writes. */
const [ALONE, ...TOGETHER] = ['a', 'b', 'c'].map((name) => `{m:new:${name}}`);

/** Two servers, of which the second has the data of the first and takes writes, and an address that leads to the first. */
async function openPair() {
  await using stack = new AsyncDisposableStack();
  const open = async () => {
    const service = stack.use(await startTestRedis());
    const client = openCommands(service.url, TIMEOUT_MS);
    stack.defer(() => client.disconnect());
    await untilReady(client, MOVED_MS);
    return { service, client };
  };
  const [old, young] = [await open(), await open()];
  const address = stack.use(await startTcpProxy(old.service.url));
  const owned = stack.move();
  return {
    ...{ old, young, address },
    /** The data of the old server on the new one, which takes writes. */
    async promote() {
      await follow(young.client, old.service);
      await young.client.call('replicaof', ['no', 'one']);
    },
    failOver: () => address.leadTo(young.service.url),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Demote = (old: RedisClient, young: TestService) => Promise<unknown>;
const set = (client: RedisClient) => client.set('probe', '1');
const get = (client: RedisClient) => client.get('probe');

const demoteOf = async (old: RedisClient, { url }: TestService) => {
  const { hostname, port, password } = new URL(url);
  await old.config('SET', 'masterauth', password);
  await old.call('replicaof', [hostname, port]);
};
/** More bytes than a primary keeps for a replica that comes back, so that the replica loads all data anew: for 30 s with the delay. */
const [KEYS, KEY_BYTES] = [1500, 1000];
const KEY_DELAY_MICROSECONDS = 20_000;

const ANSWERS: [string, (client: RedisClient) => Promise<unknown>, Demote][] = [
  ['READONLY', set, demoteOf],
  [
    'LOADING',
    get,
    async (old, young) => {
      await old.config('SET', 'key-load-delay', KEY_DELAY_MICROSECONDS);
      await old.config('SET', 'loading-process-events-interval-bytes', 1024);
      await demoteOf(old, young);
    },
  ],
];

test.each(ANSWERS)(
  'an answer %s has commands, scripts, pipelines and blocked readers on the new primary',
  async (code, ask, demote) => {
    await using pair = await openPair();
    const { old, young, address } = pair;
    const clients = [openCommands(address.url, TIMEOUT_MS), openCommands(address.url, TIMEOUT_MS)];
    const [first, second] = clients as [RedisClient, RedisClient];
    try {
      await Promise.all(clients.map((client) => untilReady(client, MOVED_MS)));
      expect(await ensureGroups(first, NAMES)).toEqual([null, null]);
      await using reader = openReaderConnection(address.url, BLOCK_MS, young.client);
      const options = {
        ...{ consumer: 'c', streams: STREAMS, shares: [9, 9], transactionsMax: 9 },
        blockMs: BLOCK_MS,
        isQuiet: true,
      };
      await reader.readNew(options);
      await pair.promote();
      const pipeline = young.client.pipeline();
      for (let n = 0; n < KEYS; n++) pipeline.set(`key-${n}`, 'x'.repeat(KEY_BYTES));
      await pipeline.exec();
      let connects = 0;
      first.on('connect', () => {
        connects += 1;
      });
      await demote(old.client, young.service);
      const isSaid = async () =>
        String(await ask(old.client).catch((error: unknown) => error)).includes(`${code} `);
      await waitUntil(isSaid, MOVED_MS, `the answer ${code}`);
      // The client is back at the old server before the address leads to the new one.
      const hasReturned = async () => {
        await ask(first).catch(() => undefined);
        return connects > 0;
      };
      await waitUntil(hasReturned, MOVED_MS, 'the client to return');
      const before = await young.client.incr('writes');
      pair.failOver();
      const works: [string, () => Promise<boolean>][] = [
        ['a command', async () => (await first.incr('writes')) > before],
        ['a script', async () => (await ensureGroups(second, [ALONE ?? '']))[0] === null],
        ['a pipeline', async () => (await ensureGroups(second, TOGETHER)).every((made) => !made)],
        ['a reader', async () => (await reader.readNew(options)).failed.size === 0],
      ];
      for (const [what, attempt] of works) {
        const isDone = () => attempt().catch(() => false);
        await waitUntil(isDone, MOVED_MS, what);
      }
      expect(await young.client.exists(ALONE ?? '', ...TOGETHER)).toBe(3);
    } finally {
      for (const client of clients) client.disconnect();
    }
  },
);

test('a subscriber that nothing told of the failover has replies of the new primary', async () => {
  await using pair = await openPair();
  const commands = openCommands(pair.address.url, TIMEOUT_MS);
  await using replies = openReplies({ url: pair.address.url, market: 'm', commands });
  try {
    await untilReady(commands, MOVED_MS);
    const { score } = replies.expect('t');
    let hasScore = false;
    void score.then(() => {
      hasScore = true;
    });
    await pair.old.client.call('replicaof', ['127.0.0.1', 1]);
    pair.failOver();
    const isAnswered = async () => {
      await set(commands).catch(() => undefined);
      const text = JSON.stringify({ transaction_id: 't' });
      await pair.young.client.publish(repliesChannel('m', replies.instance), text);
      return hasScore;
    };
    await waitUntil(isAnswered, MOVED_MS, 'the reply');
  } finally {
    commands.disconnect();
  }
});

test('an API and a worker score on the new primary, and nothing that was accepted meanwhile is lost', async () => {
  await using pair = await openPair();
  await using api = await startRunningApi({ REDIS_URL: pair.address.url });
  await using _worker = api.startWorker({
    ...{ REDIS_URL: pair.address.url, RISK_READ_BLOCK_MS: String(BLOCK_MS) },
    RISK_RECONCILE_AGE_MS: '500',
  });
  const ids: string[] = [];
  const post = async () => {
    const { status, body } = await postOne(api, input());
    expect(status).toBe(201);
    ids.push(body.transaction_id);
  };
  const isScored = async (id = '') => (await api.request(`/v1/scores/${id}`)).status === 200;
  await post();
  await waitUntil(() => isScored(ids[0]), MOVED_MS, 'the first score');
  await pair.promote();
  await demoteOf(pair.old.client, pair.young.service);
  pair.failOver();
  const isNewScored = async () => {
    await post();
    const found = await Promise.all(ids.slice(1).map((id) => isScored(id)));
    return found.some(Boolean);
  };
  await waitUntil(isNewScored, MOVED_MS, 'a new score');
  const areAll = async () => (await Promise.all(ids.map((id) => isScored(id)))).every(Boolean);
  await waitUntil(areAll, MOVED_MS, 'every score');
});
