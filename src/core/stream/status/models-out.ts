/**
 * Models that do not judge where they should, as reported by the workers of a market; a report lasts some
 * seconds.
 */
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import type { ModelOut } from '../../../kit/words/model-out.ts';
import { modelsOutKey } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';

/** Several intervals of a worker's reports. */
const OUT_MS = 3000;

const script = loadScript('announce-1');

/** Reports that they are out now. Throws a Failure. */
export async function announceModelsOut(
  redis: RedisClient,
  market: string,
  out: readonly ModelOut[],
): Promise<void> {
  const keys = [modelsOutKey(market)];
  for (const { corridor, model } of out) {
    await runScript(redis, script, { keys, args: [`${corridor} ${model}`, OUT_MS] });
  }
}

/** Models that any worker reported lately. Throws a Failure. */
export async function listModelsOut(redis: RedisClient, market: string): Promise<ModelOut[]> {
  const names = await redis.zrange(modelsOutKey(market), '0', '-1').catch(throwRedisFailure);
  return names.map((name) => {
    const [corridor = '', model = ''] = name.split(' ');
    return { corridor, model };
  });
}
