/** The program of a trainer for tests, which looks every 50 ms, from 02:00 of a day on. Arguments: the day and the settings. */
import { END_WORSE, NIGHT } from '../../src/core/repair/trainings.ts';
import { createOutput } from '../../src/kit/command/output.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { DAY_MS, HOUR_MS } from '../../src/kit/words/range.ts';
import { onShutdown } from '../../src/main/shutdown.ts';
import { runTrainer } from '../../src/main/trainer.ts';
import { testConfig } from './config.ts';

const EVERY_MS = 50;

const [, , day, settings = ''] = process.argv;
const log = createLog('trainer', 'info');
const config = testConfig(JSON.parse(settings));
const signal = onShutdown(log, config.RISK_SHUTDOWN_TIMEOUT_MS);
const context = { config, environment: {}, log, signal, output: createOutput({ json: false }) };
const laterMs = Number(day) * DAY_MS + 2 * HOUR_MS - Date.now();
process.exitCode = await runTrainer(context, {
  nowMs: () => laterMs + Date.now(),
  trainings: [NIGHT, END_WORSE].map((training) => ({ ...training, everyMs: EVERY_MS })),
});
