/**
 * Models that do not judge where they should, as reported by the workers of a market; a report lasts some
 * seconds.
 */
import type { Guards } from '../../../kit/breakers/guards.ts';
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import type { ModelOut } from '../../../kit/words/model-out.ts';
import { marketKeys } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';

const WATCH_EVERY_MS = 1000;
/** Several intervals of a worker's reports. */
const OUT_MS = 3000;

const script = loadScript('announce-1');

/** Reports that they are out now. Throws a Failure. */
export async function announceModelsOut(
  redis: RedisClient,
  market: string,
  out: readonly ModelOut[],
): Promise<void> {
  const keys = [marketKeys(market).modelsOut];
  for (const { corridor, model } of out) {
    await runScript(redis, script, { keys, args: [`${corridor} ${model}`, OUT_MS] });
  }
}

/** Models that any worker reported lately. Throws a Failure. */
export async function listModelsOut(redis: RedisClient, market: string): Promise<ModelOut[]> {
  const names = await redis
    .zrange(marketKeys(market).modelsOut, '0', '-1')
    .catch(throwRedisFailure);
  return names.map((name) => {
    const [corridor = '', model = ''] = name.split(' ');
    return { corridor, model };
  });
}

/** Keeps an API process informed of what the workers report. While Redis is away, its last answer stands. */
export function watchModelsOut(
  redis: RedisClient,
  market: string,
  { redis: { run }, reportModels }: Pick<Guards, 'redis' | 'reportModels'>,
): Disposable {
  let isReading = false;
  const timer = setInterval(async () => {
    if (isReading) return;
    isReading = true;
    await run(() => listModelsOut(redis, market)).then(reportModels, () => undefined);
    isReading = false;
  }, WATCH_EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
