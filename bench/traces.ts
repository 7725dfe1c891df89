/**
 * The processor time that traces cost. Two engines, one with traces at the default rate and one without, take the same load in
 * turn, in short windows, so that what else the machine does falls on both. Windows tell a cost of some percent at best, so a profile
 * of the engine with traces, taken meanwhile, says what share of its time their code took. A collector in this process takes the spans.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { readShare } from './support/cpu-profile.ts';
import { LIVE_LOAD, type Load, loadName } from './support/load.ts';
import { type LoadRun, runLoad, warmUp } from './support/load-run.ts';
import { readOptions } from './support/options.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { ratioOf } from './support/rank-interval.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { spreadOf } from './support/spread.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--batches N[,N]   transactions a request, each a case (1,100)
--windows N       of each engine (12)
--seconds N       of a window (6)`;

/** Transactions a second: half of what two cores can do beside the other engine's duties. */
const RATES = { single: 300, batched: 3000 } as const;
const UNMEASURED = 3000;
const CONNECTIONS = 16;
/** A gain or loss within the noise of windows is none. */
const RATIO_MAX = 1.01;
const SHARE_MAX = 0.01;
/** Where the time of traces is spent. */
const OF_TRACES = /^src\/kit\/traces\/|^node_modules\/@opentelemetry\//;

/** Takes spans, and counts their bytes. */
async function openCollector() {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.writeHead(200).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Microseconds a transaction of the API and the worker. */
const engineUs = ({ cpu }: LoadRun) =>
  cpu
    .filter(({ role }) => role === 'api' || role === 'workers')
    .reduce((sum, { us_per_transaction: us }) => sum + Number(us), 0);

type Arms = { readonly off: Pipeline; readonly on: Pipeline };

async function measure(
  arms: Arms,
  load: Load,
  windows: number,
  context: BenchContext,
): Promise<Omit<BenchReport, 'inputs' | 'settings' | 'versions'>> {
  const us = { off: [] as number[], on: [] as number[] };
  const latencyMs = { off: [] as number[], on: [] as number[] };
  await warmUp(arms.off, load, context);
  await warmUp(arms.on, load, context);
  for (let window = 0; window < windows; window++) {
    // Each engine goes first in half of the windows.
    const order = window % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const);
    for (const arm of order) {
      context.output.note(`window ${window + 1} of ${windows}, traces ${arm}`);
      const run = await runLoad(arms[arm], { ...load, seed: `${window}` }, context);
      us[arm].push(engineUs(run));
      latencyMs[arm].push(run.posted.latencyMs.p99);
    }
  }
  const { ratio, low, high } = ratioOf(us.off, us.on);
  return {
    caseName: loadName(load),
    perSecond: load.rate,
    figures: {
      off_us: spreadOf(us.off).median,
      on_us: spreadOf(us.on).median,
      cpu_ratio: ratio,
      cpu_ratio_from: low,
      cpu_ratio_to: high,
      http_p99_off_ms: spreadOf(latencyMs.off).median,
      http_p99_on_ms: spreadOf(latencyMs.on).median,
    },
    ceilings: [],
    tables: [
      {
        title: 'microseconds a transaction of the API and the worker, window by window',
        rows: us.off.map((off, at) => ({
          window: String(at + 1),
          off: off.toFixed(1),
          on: (us.on[at] ?? Number.NaN).toFixed(1),
        })),
      },
    ],
    breaches: low > RATIO_MAX ? [`traces cost ${((ratio - 1) * 100).toFixed(1)} %`] : [],
  };
}

async function runBatch(
  load: Load,
  { windows, seconds }: { windows: number; seconds: number },
  context: BenchContext,
): Promise<BenchReport> {
  using collector = await openCollector();
  await using profiles = await makeRunFolder('risk-traces');
  const settings = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  };
  const folder = (arm: string) => join(profiles.path, arm);
  let report: BenchReport;
  {
    // A profile costs time, so both engines take one.
    await using off = await startPipeline(
      { workers: 1, settings: {}, profileFolder: folder('off') },
      context,
    );
    await using on = await startPipeline(
      { workers: 1, settings, profileFolder: folder('on') },
      context,
    );
    const measured = await measure({ off, on }, load, windows, context);
    const stored = await readStored(on.services.database);
    const { versions, settings: ofServices } = on.services;
    report = {
      ...measured,
      inputs: { ...load, windows, seconds, ...ofServices },
      settings: { OTEL_TRACES_EXPORTER: 'otlp' },
      versions,
      figures: { ...measured.figures, ...{ lost: stored.lost, doubled: stored.doubled } },
      // Memory is not judged: a profile takes some, and replaces the bounds of the heaps.
      breaches: [...measured.breaches, ...storedBreaches(stored)],
    };
  }
  // Processes write their profiles, and send their last spans, when they end.
  const share = await readShare(folder('on'), OF_TRACES);
  const spanBytes = collector.bytes();
  return {
    ...report,
    figures: { ...report.figures, share_of_traces: share, span_bytes: spanBytes },
    breaches: [
      ...report.breaches,
      ...(share > SHARE_MAX ? [`${(share * 100).toFixed(1)} % of the time is that of traces`] : []),
      ...(spanBytes === 0 ? ['no span came to the collector'] : []),
    ],
  };
}

export const bench: Bench = {
  name: 'traces',
  question: 'What do traces at the default rate cost the API and the worker?',
  onlyByName: 'starts two engines',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      batches: { or: [1, 100], max: 1000 },
      windows: { or: 12, max: 200 },
      seconds: { or: 6, max: 600 },
    };
    const { batches, windows, seconds } = readOptions(args, wholes, {}).numbers;
    for (const batch of batches) {
      const rate = batch === 1 ? RATES.single : RATES.batched;
      const load = { ...LIVE_LOAD, ...{ batch, rate, connections: CONNECTIONS } };
      const own = { ...load, transactions: rate * seconds, unmeasured: UNMEASURED };
      yield await runBatch(own, { windows, seconds }, context);
    }
  },
};
