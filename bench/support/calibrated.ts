/** A load under which the engine is calibrated. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calibrationSchema } from '../../src/rooms/operate/plan/calibration.ts';
import type { BenchContext } from './bench.ts';
import type { Load } from './load.ts';
import { runLoad } from './load-run.ts';
import { API_KEY, type Pipeline } from './pipeline.ts';
import { LAUNCHER } from './services.ts';

/** A calibration ends within a load that goes on for so much longer. */
const AROUND_SECONDS = 15;

/** Runs the load, and beside it `risk calibrate` for so long, as an operator does it. */
export async function runCalibrated(
  pipeline: Pipeline,
  load: Load,
  seconds: number,
  context: BenchContext,
) {
  const file = join(pipeline.folder, 'calibration.json');
  const { services, api } = pipeline;
  const environment = {
    ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], RISK_API_KEY: API_KEY },
    ...{ DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl, RISK_URL: api.url },
  };
  const args = [LAUNCHER, 'calibrate', '--seconds', String(seconds), '--file', file];
  const own = { ...load, transactions: load.rate * (seconds + AROUND_SECONDS) };
  const [run] = await Promise.all([
    runLoad(pipeline, own, context),
    promisify(execFile)('/bin/sh', args, { env: environment, signal: context.signal }),
  ]);
  return { run, measured: calibrationSchema.parse(JSON.parse(await readFile(file, 'utf8'))) };
}
