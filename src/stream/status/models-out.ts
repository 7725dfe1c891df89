/**
 * Models that do not judge where they should, as reported by the workers of a market; a report lasts some
 * seconds.
 */
import type { ModelOut } from '../../domain/model-out.ts';
import { type RedisClient, toRedisFailure } from '../connection/connection.ts';
import { modelsOutKey } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';

export type ModelsOut = {
  /** Reports that they are out now. Throws a Failure. */
  readonly announce: (out: readonly ModelOut[]) => Promise<void>;
  /** Models that any worker reported lately. Throws a Failure. */
  readonly list: () => Promise<ModelOut[]>;
};

/** Several intervals of a worker's reports. */
const OUT_MS = 3000;

export function createModelsOut(redis: RedisClient, market: string): ModelsOut {
  const script = loadScript('announce-1');
  const key = modelsOutKey(market);
  return {
    async announce(out) {
      for (const { corridor, model } of out) {
        await runScript(redis, script, { keys: [key], args: [`${corridor} ${model}`, OUT_MS] });
      }
    },
    async list() {
      const names = await redis.zrange(key, '0', '-1').catch((error: unknown) => {
        throw toRedisFailure(error);
      });
      return names.map((name) => {
        const [corridor = '', model = ''] = name.split(' ');
        return { corridor, model };
      });
    },
  };
}
