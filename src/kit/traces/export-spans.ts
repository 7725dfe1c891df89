/** Hands spans to OpenTelemetry, which sends them to a collector, or writes them to a file. Loaded where traces are on alone. */
import { appendFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import {
  type Attributes,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  RandomIdGenerator,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Config } from '../config/config.ts';
import type { Log } from '../metrics/log.ts';
import { settlesWithin } from '../process/settles-within.ts';
import { toError } from '../words/failure.ts';
import { ERROR_TYPE } from './names.ts';
import type { Span, TraceContext, Tracing } from './trace.ts';

/** Spans that wait for an export. More: memory, 2 KB each; fewer: they are lost while a collector is slow. */
const QUEUE_SPANS_MAX = 2048;
/** Spans of one export. More: writing them holds up everything else for longer; fewer: more requests to the collector. */
const EXPORT_SPANS_MAX = 512;
/** How long spans wait for others. Longer: a crash loses more of them; shorter: a request, which costs as much as 100 spans, for a few. */
const EXPORT_EVERY_MS = 5000;
/** A file is for somebody who waits for its lines. */
const WRITE_EVERY_MS = 500;
/** How long the last export may take while the process stops. */
const LAST_EXPORT_MS_MAX = 3000;
/** A collector that is down fails every export. More: its outage is noticed late; less: the log is full of it. */
const WARN_EVERY_MS = 60_000;
/** A wall clock that is this far off was set. Smaller: spans of a trace shift by the rounding of the clock; larger: two processes disagree. */
const CLOCK_SET_MS_MIN = 5;
const SCOPE = 'risk-engine';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

type Export = Pick<Tracing, 'newTraceId' | 'newSpanId' | 'export'> & {
  readonly close: () => Promise<void>;
};

export function openExport(config: Config, service: string, log: Log): Export {
  const warn = createWarn(log);
  const silent = () => undefined;
  const logger = { error: warn, warn, info: silent, debug: silent, verbose: silent };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const { newTraceId, newSpanId, ids } = createIds();
  const processor = new BatchSpanProcessor({
    exporter: openExporter(config, warn),
    maxQueueSize: QUEUE_SPANS_MAX,
    maxExportBatchSize: EXPORT_SPANS_MAX,
    scheduledDelayMillis: config.RISK_TRACES_FILE === undefined ? EXPORT_EVERY_MS : WRITE_EVERY_MS,
  });
  const provider = new TracerProvider({
    resource: resourceOf(service),
    // Spans that come here were chosen.
    sampler: new AlwaysOnSampler(),
    idGenerator: ids,
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer(SCOPE);
  const originMs = createOrigin();
  return {
    newTraceId,
    newSpanId,
    export: (span) => {
      ids.next = span;
      const zeroMs = originMs();
      const started = tracer.startSpan(
        span.name,
        {
          kind: KINDS[span.kind],
          startTime: zeroMs + span.startMs,
          attributes: attributesOf(span),
          links: span.links.map((context) => ({ context: toSpanContext(context) })),
        },
        parentOf(span),
      );
      if (span.error !== null) started.setStatus({ code: SpanStatusCode.ERROR });
      started.end(zeroMs + (span.endMs ?? span.startMs));
    },
    close: async () => {
      const closed = provider.shutdown().catch((error: unknown) => warn(String(error)));
      await settlesWithin(closed, LAST_EXPORT_MS_MAX);
    },
  };
}

function createWarn(log: Log): (message: string) => void {
  let saidMs = Number.NEGATIVE_INFINITY;
  return (message) => {
    if (performance.now() - saidMs < WARN_EVERY_MS) return;
    saidMs = performance.now();
    log.warn({ cause: message }, 'traces are not exported');
  };
}

const openExporter = (config: Config, warn: (message: string) => void) =>
  config.RISK_TRACES_FILE === undefined
    ? new OTLPTraceExporter({ url: `${config.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces` })
    : createFileExporter(config.RISK_TRACES_FILE, warn);

/** When the monotonic clock was 0, in milliseconds since 1970: the same for all spans, until somebody sets the wall clock. */
function createOrigin(): () => number {
  let originMs = performance.timeOrigin;
  return () => {
    const now = Date.now() - performance.now();
    if (Math.abs(now - originMs) > CLOCK_SET_MS_MIN) originMs = now;
    return originMs;
  };
}

/** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say more than the engine does. */
function resourceOf(service: string) {
  const own = resourceFromAttributes({
    'service.name': service,
    'service.namespace': SCOPE,
    'service.instance.id': `${hostname()}:${process.pid}`,
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

/** Spans have their ids before they come here, as an entry of a stream names its sender. */
function createIds() {
  const { generateTraceId, generateSpanId } = new RandomIdGenerator();
  const ids = {
    next: null as Span | null,
    generateTraceId: () => ids.next?.trace.traceId ?? generateTraceId(),
    generateSpanId: () => ids.next?.id ?? generateSpanId(),
  };
  return { ids, newTraceId: generateTraceId, newSpanId: generateSpanId };
}

function attributesOf({ attributes, error }: Span): Attributes {
  return error === null ? attributes : { ...attributes, [ERROR_TYPE]: error };
}

function parentOf({ parent, trace: own }: Span) {
  const context = parent === null ? own.parent : parent.context;
  if (context === null) return ROOT_CONTEXT;
  const isRemote = parent === null;
  return trace.setSpanContext(ROOT_CONTEXT, { ...toSpanContext(context), isRemote });
}

const toSpanContext = ({ traceId, spanId }: TraceContext): SpanContext => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
});

/** A larger file takes no more spans. Larger: a forgotten file fills the disk; smaller: a day of traces does not fit. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

const [DONE, FAILED] = [0, 1];

/**
 * Appends spans to a file, one a line, each as a request of OTLP in JSON: the receiver `otlpjsonfile` of a collector reads
 * such files.
 */
function createFileExporter(path: string, warn: (message: string) => void): SpanExporter {
  let isFull = false;
  let written = Promise.resolve();
  const write = async (text: string) => {
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    if (size + text.length > FILE_BYTES_MAX) {
      if (!isFull) warn(`${path} has ${size} bytes and takes no more`);
      isFull = true;
      return;
    }
    await appendFile(path, text);
  };
  return {
    export: (spans, done) => {
      const lines = spans.map((span) => {
        const json = JsonTraceSerializer.serializeRequest([span]);
        return json === undefined ? '' : `${Buffer.from(json).toString('utf8')}\n`;
      });
      written = written
        .then(() => write(lines.join('')))
        .then(
          () => done({ code: DONE }),
          (error: unknown) => done({ code: FAILED, error: toError(error) }),
        );
    },
    forceFlush: () => written,
    shutdown: () => written,
  };
}
