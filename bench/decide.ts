/**
 * How long a client waits for a decision: single posts with `Prefer: wait` at an offered rate, from the moment
 * each was due until the answer with its score. It is an open loop, so requests that a slow answer holds up
 * count too.
 */
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import { readProfiles } from './support/cpu-profile.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
} from './support/load.ts';
import { memoryBreaches, memoryTable, runLoad, warmUp } from './support/load-run.ts';
import { readOptions, TEXT } from './support/options.ts';
import { startPipeline } from './support/pipeline.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--rates N[,N]      posts a second, each a run of its own (500,2000)
--seconds N        of each run (30)
${LOAD_USAGE}
--profile FOLDER   CPU profiles of the API and the worker; slows them down
--transactions and --rate are what --rates and --seconds make them. 128 connections and 5 s unmeasured by default.`;

/** The wait of `Prefer: wait`; it is longer than any answer should take, so that every answer has its score. */
const WAIT_SECONDS = 5;
const UNMEASURED_SECONDS = 5;

type Options = {
  readonly load: Load;
  readonly settings: Settings;
  readonly profileFolder: string | undefined;
};

async function measure(options: Options, context: BenchContext): Promise<BenchReport> {
  const { load, settings, profileFolder } = options;
  await using pipeline = await startPipeline({ workers: 1, settings, profileFolder }, context);
  await warmUp(pipeline, load, context);
  const run = await runLoad(pipeline, load, context);
  const { posted, memory } = run;
  const { lost, doubled } = await readStored(pipeline.services.database);
  const seconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  const unanswered = posted.accepted - posted.scored;
  return {
    caseName: `${load.rate} posts a second`,
    inputs: { ...load, workers: 1, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond: posted.scored / seconds,
    figures: {
      decided_per_second: posted.scored / seconds,
      ...{ accepted: posted.accepted, with_score: posted.scored, resent: posted.resent },
      ...{ lost, doubled },
      cpu_us_per_transaction: (run.cpuSeconds * 1e6) / load.transactions,
      decided_p50_ms: posted.latencyMs.p50,
      decided_p95_ms: posted.latencyMs.p95,
      decided_p99_ms: posted.latencyMs.p99,
      decided_max_ms: posted.latencyMs.max,
      waited_for_connection_p99_ms: posted.waitedMs.p99,
    },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows: run.cpu }, memoryTable(memory)],
    breaches: [
      ...(unanswered === 0 ? [] : [`answered without a score: ${unanswered}`]),
      ...storedBreaches({ lost, doubled }),
      ...memoryBreaches(memory),
    ],
  };
}

export const bench: Bench = {
  name: 'decide',
  question: 'How long does a client wait for a decision?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { rates: { or: [500, 2000], max: 100_000 }, seconds: { or: 30, max: 3600 } };
    const { values, numbers } = readOptions(args, wholes, { ...LOAD_OPTIONS, profile: TEXT });
    const settings = readSettings(values.set);
    const profileFolder = values.profile;
    const { rates, seconds } = numbers;
    for (const rate of rates) {
      const unmeasured = rate * UNMEASURED_SECONDS;
      const asked = readLoad(values, { ...LIVE_LOAD, connections: 128, unmeasured });
      const offered = { rate, batch: 1, transactions: rate * seconds, waitSeconds: WAIT_SECONDS };
      const load = { ...asked, ...offered };
      const report = await measure({ load, settings, profileFolder }, context);
      // Processes write their profiles when they end.
      const profiles =
        profileFolder === undefined ? [] : await readProfiles(profileFolder, load.transactions);
      yield { ...report, tables: [...report.tables, ...profiles] };
    }
  },
};
