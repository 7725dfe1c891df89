/** `risk calibrate`: measures what a transaction costs the engine that works here, and writes the file that `risk plan` reads. */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiOf } from '../../../kit/command/api.ts';
import { EXIT } from '../../../kit/command/command.ts';
import { URL_OPTION, whole } from '../../../kit/command/options.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
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

const OPTIONS = {
  '--seconds N': whole(
    'Seconds of traffic, at least 2,000 transactions',
    SECONDS,
    SECONDS_BY_DEFAULT,
  ),
  '--file FILE': `What risk plan reads (${CALIBRATION_FILE} in RISK_DATA_DIR)`,
  ...URL_OPTION,
} as const;

const MEASURES =
  'Compares what API, workers, Postgres and Redis have used before and after a minute of traffic, and what their stores hold; sends nothing and changes nothing';
const measure = written('', MEASURES, OPTIONS, async ({ values }, context) => {
  const { seconds } = values;
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
});

export const command = commandOf({
  name: 'calibrate',
  summary: 'Measures what a transaction costs here, for risk plan.',
  needs: ['DATABASE_URL', 'REDIS_URL'],
  notes: `The workers must stay the same meanwhile. Without traffic of your own post some, as the sample of npm start or risk simulate and
risk replay do; the figures are those of its batches. --url is that of one API process. Processor time of Postgres is known only
where it runs on this machine. Needs DATABASE_URL, REDIS_URL and an API key that may read metrics.`,
  actions: { '': measure },
});
