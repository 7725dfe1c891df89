/** Goal: the embedded Redis is bounded, refuses strangers and speaks streams and scripts. */
import { Redis } from 'ioredis';
import { expect, inject, test } from 'vitest';
import { REDIS_MEMORY_BYTES_MAX, startRedis } from '../../src/tools/start/services/redis.ts';
import { makeServiceFolder } from '../support/service-folder.ts';

test('the embedded Redis is bounded, refuses strangers and speaks streams and scripts', async () => {
  using folder = makeServiceFolder();
  const { signal } = new AbortController();
  const started = await startRedis({ ...folder, source: inject('redisSource'), signal });
  const stranger = new Redis(started.port, '127.0.0.1').on('error', () => undefined);
  const redis = new Redis(started.url);
  try {
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
    expect(await redis.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM')).toBe('OK');
    expect(await redis.eval("return redis.call('xlen', KEYS[1])", 1, 's')).toBe(0);
    expect(await redis.config('GET', 'maxmemory')).toContain(String(REDIS_MEMORY_BYTES_MAX));
  } finally {
    stranger.disconnect();
    redis.disconnect();
    await started.service.stop();
  }
  expect(started.service.hasEnded()).toBe(true);
});
