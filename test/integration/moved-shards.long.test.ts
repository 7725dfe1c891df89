/**
 * Goal: a corridor that moves 1 -> 16 -> 4 -> 1 under load loses and doubles nothing, and an account's transactions are never
 * scored from two streams at once. Method: two workers note what they score and where it was read; before each move a third
 * consumer takes entries and dies, so that without waiting the new streams would be scored before them.
 */
import { setInterval as every } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { layoutOf } from '../../src/core/domain/layout.ts';
import { readSwitches } from '../../src/core/store/switches/switches.ts';
import type { StreamEntry } from '../../src/core/stream/group/read-group.ts';
import { ENTRY_READER } from '../../src/core/stream/group/versions.ts';
import { GROUP, shardOf, streamKeys } from '../../src/core/stream/keys.ts';
import { isOver } from '../../src/core/work/moves.ts';
import { startRunningApi } from '../support/running-api.ts';
import { answerOf, count, input, postBatch } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startWorkerHere } from '../support/worker-rig.ts';

const ACCOUNTS = Array.from({ length: 24 }, (_, n) => `acc_${n}`);
const MOVES = [16, 4, 1];
const MOVED = ACCOUNTS.find((one) => shardOf(one, 16) > 3 && shardOf(one, 4) > 0) ?? '';
const CLAIM_IDLE_MS = 2500;
const PACE_MS = 30;
const CORRIDOR = 'US-EG';

type Scored = { readonly id: string; readonly account: string; readonly shard: number };

test('a corridor moves between shards under load', async () => {
  await using api = await startRunningApi();
  const { market } = api.testDatabase;
  const shardsRead = new Map<string, number>();
  const scored: Scored[] = [];
  const startWorker = () =>
    startWorkerHere(
      {
        DATABASE_URL: api.testDatabase.url,
        REDIS_URL: api.redisService.url,
        RISK_CLAIM_IDLE_MS: String(CLAIM_IDLE_MS),
      },
      {
        entries: {
          ...ENTRY_READER,
          decode(entry) {
            const read = ENTRY_READER.decode(entry);
            const { shard } = (entry as StreamEntry).stream;
            for (const { transactionId } of read.transactions) shardsRead.set(transactionId, shard);
            return read;
          },
        },
        beforeScore({ transactionId: id, accountId: account }) {
          scored.push({ id, account, shard: shardsRead.get(id) ?? -1 });
        },
      },
    );
  await using _workers = [startWorker(), startWorker()].reduce((stack, one) => {
    stack.use(one);
    return stack;
  }, new AsyncDisposableStack());
  const set = async (shards: number) =>
    await answerOf(
      await api.request('/v1/corridors/US-EG', {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ shards, reason: 'more traffic' }),
      }),
    );
  const accepted: string[] = [];
  const loaded = new AbortController();
  const load = (async () => {
    for await (const _ of every(PACE_MS, undefined, { signal: loaded.signal })) {
      const all = ACCOUNTS.map((account_id) => input({ account_id, merchant_id: account_id }));
      const { status, body } = await postBatch(api, all);
      expect(status).toBe(200);
      for (const one of body.results) accepted.push(one.transaction_id);
    }
  })().catch((error: unknown) => {
    if (!loaded.signal.aborted) throw error;
  });
  const taker = api.redis.duplicate();
  await using _taker = { [Symbol.asyncDispose]: async () => taker.disconnect() };
  /** Takes an entry of an account that every move brings to another stream. */
  const stall = async (shards: number) => {
    const { transactions } = streamKeys(market, CORRIDOR, shardOf(MOVED, shards));
    const read = ['COUNT', 1, 'BLOCK', 5000, 'STREAMS', transactions, '>'];
    expect(await taker.call('XREADGROUP', 'GROUP', GROUP, 'dead', ...read)).not.toBeNull();
  };
  const isMoved = async () => {
    const switches = await readSwitches(api.database);
    const move = layoutOf(
      () => switches,
      () => performance.now(),
    ).moveOf(CORRIDOR);
    return move !== null && (await isOver(api.redis, market, CORRIDOR, move));
  };
  await waitUntil(() => scored.length > 0, 10_000, 'a score');
  let from = 1;
  for (const shards of MOVES) {
    await stall(from);
    expect(await set(shards)).toMatchObject({ status: 200, body: { shards, moved: { from } } });
    expect((await set(from)).body.detail).toContain(`the move to ${shards} is not over`);
    await waitUntil(isMoved, 20_000, `the move to ${shards}`);
    from = shards;
  }
  expect((await set(17)).status).toBe(422);
  loaded.abort();
  await load;
  await waitUntil(async () => (await count(api, 'open_rows')) === 0, 20_000, 'all to be scored');
  expect(await count(api, 'scores')).toBe(accepted.length);
  expect(await count(api, 'dead_letters')).toBe(0);

  const places = new Map(scored.map(({ id, shard }, at) => [id, { shard, at }]));
  for (const [index, account] of ACCOUNTS.entries()) {
    const own = accepted.filter((_, at) => at % ACCOUNTS.length === index);
    const runs: { shard: number; ats: number[] }[] = [];
    for (const id of own) {
      const { shard, at } = places.get(id) ?? { shard: -1, at: -1 };
      if (runs.at(-1)?.shard !== shard) runs.push({ shard, ats: [] });
      runs.at(-1)?.ats.push(at);
    }
    const layouts = [1, ...MOVES].map((shards) => shardOf(account, shards));
    expect(runs.map(({ shard }) => shard)).toEqual(
      layouts.filter((one, at) => one !== layouts[at - 1]),
    );
    for (const [at, { ats }] of runs.slice(1).entries()) {
      expect(Math.min(...ats), account).toBeGreaterThan(Math.max(...(runs[at]?.ats ?? [])));
    }
  }
});
