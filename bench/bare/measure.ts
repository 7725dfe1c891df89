/** The bare pipeline under a load, with the same counting as the engine's. */
import type { BenchContext, BenchReport, Settings } from '../support/bench.ts';
import { type Load, loadName } from '../support/load.ts';
import { runLoad, warmUp } from '../support/load-run.ts';
import { startPipeline } from '../support/pipeline.ts';
import { readStored, storedBreaches } from '../support/stored.ts';

export async function measureBare(
  load: Load,
  context: BenchContext,
  postgresSettings: Settings = {},
): Promise<BenchReport> {
  await using pipeline = await startPipeline(
    { workers: 1, settings: {}, program: 'bare', postgresSettings },
    context,
  );
  await warmUp(pipeline, load, context);
  const run = await runLoad(pipeline, load, context);
  const stored = await readStored(pipeline.services.database);
  const { lost, doubled, scores } = stored;
  const { posted, seconds, transactions } = run;
  const postedSeconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  return {
    caseName: `bare pipeline, ${loadName(load)}`,
    inputs: { ...load, workers: 1, ...pipeline.services.settings },
    settings: {},
    versions: pipeline.services.versions,
    perSecond: transactions / seconds,
    figures: {
      end_to_end_per_second: transactions / seconds,
      accepted_per_second: posted.accepted / postedSeconds,
      cpu_us_per_transaction: (run.cpuSeconds * 1e6) / transactions,
      ...{ scored: scores, lost, doubled },
    },
    ceilings: [],
    tables: [{ title: 'processor time by role', rows: run.cpu }],
    breaches: storedBreaches(stored),
  };
}
