/**
 * Traces of a process, off by default. The packages of OpenTelemetry are loaded where traces are on alone; where they are off,
 * a place that would begin a span finds null.
 */
import type { Config } from '../config/config.ts';
import type { Log } from '../metrics/log.ts';
import { Failure } from '../words/failure.ts';
import { Trace, type TraceStart } from './trace.ts';

export type Traces = AsyncDisposable & {
  readonly begin: (start: TraceStart) => Trace;
};

/** The oldest Node that the packages run on. */
const NODE_MIN = [22, 15] as const;
/**
 * Traces that a process exports in a second. More: an outage, in which every request fails, or a caller that samples all of its
 * requests, costs processor time; fewer: sampled requests are missing where many are sampled.
 */
const TRACES_PER_SECOND_MAX = 100;
const SECOND_MS = 1000;

/** Null where traces are off. @throws Failure where this Node is too old for them */
export async function openTraces(
  config: Config,
  service: 'risk-api' | 'risk-worker',
  log: Log,
): Promise<Traces | null> {
  const { RISK_TRACES_FILE: file, OTEL_TRACES_SAMPLER_ARG: rate } = config;
  if (config.OTEL_TRACES_EXPORTER === 'none' && file === undefined) return null;
  if (!isNewEnough(process.versions.node)) {
    const said = `traces need Node ${NODE_MIN.join('.')} or newer, and this is ${process.versions.node}`;
    throw new Failure('permanent', 'NOT_RUNNABLE_HERE', said);
  }
  const { openExport } = await import('./export-spans.ts');
  const { close, ...ids } = openExport(config, service, log);
  const tracing = {
    ...ids,
    sample: (parent: TraceStart['parent']) => parent?.isSampled ?? Math.random() < rate,
    hasRoom: countPerSecond(TRACES_PER_SECOND_MAX),
    slowMs: config.RISK_TRACE_SLOW_MS,
  };
  log.info({ to: file ?? 'a collector', rate }, 'traces are on');
  return { begin: (start) => new Trace(tracing, start), [Symbol.asyncDispose]: close };
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** True for the first `max` calls of each second. */
function countPerSecond(max: number): () => boolean {
  let [fromMs, taken] = [0, 0];
  return () => {
    const nowMs = performance.now();
    if (nowMs - fromMs >= SECOND_MS) [fromMs, taken] = [nowMs, 0];
    taken += 1;
    return taken <= max;
  };
}
