/** `risk calibrate`: measures what a transaction costs the engine that works here, and writes the file that `risk plan` reads. */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiOf } from '../../../kit/command/api.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
} from '../../../kit/command/command.ts';
import { openCommandDatabase, openCommandRedis } from '../../../kit/command/stores.ts';
import { calibrate, requireSame } from '../plan/calibrate.ts';
import { readContent, readUsage, readWorkers } from '../plan/measure-engine.ts';
import { CALIBRATION_FILE } from '../plan/plan.ts';

/** Shorter: reports of workers, which come every 3 s, and single batches count too much. */
const SECONDS = { min: 5, max: 3600 };
/** Shorter: no autovacuum falls into the span, and Postgres looks cheaper by up to 40 %. */
const SECONDS_BY_DEFAULT = 60;
/** Below the minute for which a report is kept: a worker that comes and goes between two looks is seen. */
const LOOK_EVERY_MS = 30_000;

export const command: Command = {
  name: 'calibrate',
  summary: 'Measures what a transaction costs here, for risk plan.',
  usage: `risk calibrate [--seconds N] [--file FILE] [--url URL] [--json]

Compares what API, workers, Postgres and Redis have used before and after a minute of traffic, and what their stores hold;
sends nothing and changes nothing. The workers must stay the same meanwhile. Without traffic of your own post some, as the
sample of npm start or risk simulate and risk replay do; the figures are those of its batches. Processor time of Postgres is
known only where it runs on this machine. Needs DATABASE_URL, REDIS_URL and an API key that may read metrics.

  --seconds N   of traffic, at least 2,000 transactions (${SECONDS_BY_DEFAULT})
  --file FILE   what risk plan reads (${CALIBRATION_FILE} in RISK_DATA_DIR)
  --url URL     one API process (RISK_URL)
`,
  needs: ['DATABASE_URL', 'REDIS_URL'],
  run,
};

async function run(args: string[], context: CommandContext): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArguments(args, { seconds: text, file: text, url: text });
  const seconds = integerOption('--seconds', values.seconds, SECONDS, SECONDS_BY_DEFAULT);
  const { config, output, signal } = context;
  const api = apiOf(values.url, context);
  await using database = openCommandDatabase(context, 'calibrate');
  using connection = await openCommandRedis(context);
  const stores = { database, redis: connection.redis, market: config.RISK_MARKET };
  const before = await readUsage(api, stores);
  output.note(`measuring for ${seconds} s`);
  const began = performance.now();
  for (let leftMs = seconds * 1000; leftMs > 0 && !signal.aborted; leftMs -= LOOK_EVERY_MS) {
    requireSame(before.workers, await readWorkers(stores));
    await delay(Math.min(leftMs, LOOK_EVERY_MS), undefined, { signal }).catch(() => undefined);
  }
  if (signal.aborted) return EXIT.failed;
  const after = await readUsage(api, stores);
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`;
  const span = { before, after, machine, at: new Date() };
  const passed = Math.round((performance.now() - began) / 100) / 10;
  const measured = calibrate({ ...span, seconds: passed }, await readContent(stores));
  const file = values.file ?? join(config.RISK_DATA_DIR, CALIBRATION_FILE);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(measured, null, 2)}\n`);
  const { corridors: _, ...figures } = measured;
  output.record({ file, ...figures });
  return EXIT.fine;
}
