/** Goal: nobody reads the words of a driver. Method: a command while no connection is there yet. */
import { expect, test } from 'vitest';
import { openCommands, toRedisFailure } from '../../../../src/kit/redis/connection.ts';

test('a command before the first connection fails in words of ours', async () => {
  const redis = openCommands('redis://127.0.0.1:1', 1000);
  try {
    const thrown = await redis.get('key').catch((error: unknown) => error);
    expect(String(thrown)).toContain('writeable');
    expect(toRedisFailure(thrown).message).toBe(
      'Redis does not answer: there is no connection to it now',
    );
  } finally {
    redis.disconnect();
  }
});
