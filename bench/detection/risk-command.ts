/** Runs commands of the engine as a person would. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Pipeline } from '../support/pipeline.ts';
import { peakRssBytes } from '../support/process-usage.ts';
import { LAUNCHER } from '../support/services.ts';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** Longer: memory of the last moments is not seen. Shorter: reading it is measured beside the command. */
const LOOK_MS = 50;

type Ended = {
  readonly answer: Readonly<Record<string, unknown>>;
  readonly seconds: number;
  readonly peakBytes: number;
};

/** @param own environment of this command @returns the JSON of a command once it has ended well */
export async function runRisk(
  { services, api }: Pick<Pipeline, 'services' | 'api'>,
  args: readonly string[],
  own: Readonly<Record<string, string>>,
): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    RISK_URL: api.url,
    ...own,
  };
  const startedMs = performance.now();
  const running = promisify(execFile)('/bin/sh', [LAUNCHER, ...args, '--json'], {
    ...{ env, maxBuffer: OUTPUT_BYTES_MAX },
  });
  let peakBytes = 0;
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakRssBytes(running.child.pid ?? 0));
  }, LOOK_MS);
  try {
    const { stdout } = await running;
    const seconds = (performance.now() - startedMs) / 1000;
    return { answer: JSON.parse(stdout) as Ended['answer'], seconds, peakBytes };
  } finally {
    clearInterval(look);
  }
}
