/** Goal: each kind of embedded Redis is bounded, refuses strangers and speaks streams and scripts. */
import { expect, inject, test } from 'vitest';
import type { RedisSource } from '../../src/tools/start/services/redis.ts';
import { REDIS_MEMORY_BYTES_MAX, startRedis } from '../../src/tools/start/services/redis.ts';
import { askRedis } from '../../src/tools/start/services/redis-protocol.ts';
import { makeServiceFolder } from '../support/service-folder.ts';

const COMMANDS = 100;
/** As shipped the WebAssembly build takes 100 ms a command; with its cure well below one. */
const COMMAND_MS_MAX = 25;

const sources: [string, () => RedisSource][] = [
  ['the one found on this machine', () => inject('redisSource')],
  ['Valkey in WebAssembly', () => ({ kind: 'wasm' })],
];

test.each(sources)('startRedis runs %s', { retry: 2 }, async (_name, source) => {
  using folder = makeServiceFolder();
  const { signal } = new AbortController();
  const redis = await startRedis({ ...folder, source: source(), signal });
  try {
    const auth = ['AUTH', folder.password];
    const [denied] = await askRedis(redis.port, [['PING']]);
    expect(denied).toContain('NOAUTH');
    const began = performance.now();
    for (let count = 0; count < COMMANDS; count += 1) {
      await askRedis(redis.port, [auth, ['PING']]);
    }
    expect((performance.now() - began) / COMMANDS).toBeLessThan(COMMAND_MS_MAX);
    const replies = await askRedis(redis.port, [
      auth,
      ['XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM'],
      ['EVAL', "return redis.call('xlen', KEYS[1])", '1', 's'],
    ]);
    expect(replies).toEqual(['+OK', '+OK', ':0']);
    // A reply of five lines: as many more commands make askRedis read that far.
    const padding = [['PING'], ['PING'], ['PING'], ['PING']];
    const lines = await askRedis(redis.port, [auth, ['CONFIG', 'GET', 'maxmemory'], ...padding]);
    expect(lines).toContain(String(REDIS_MEMORY_BYTES_MAX));
  } finally {
    await redis.service.stop();
  }
  expect(redis.service.hasEnded()).toBe(true);
});
