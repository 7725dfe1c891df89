/**
 * The spans of a request, or of a batch, in this process. They are held until the first span ends, as only then is known whether
 * the work was slow or has failed: such a trace is exported although it was not sampled. An id is made when something asks for
 * it, so that a trace which nobody sees costs little more than its times.
 */
export type SpanKind = 'internal' | 'server' | 'producer' | 'consumer';
export type Attributes = Record<string, string | number>;

/** Means that all traces of a process share. */
export type Tracing = {
  /** Decides by the rate where there is no parent. */
  readonly sample: (parent: TraceContext | null) => boolean;
  /** False where too many traces of this second are exported already. */
  readonly hasRoom: () => boolean;
  /** A trace that takes this long is exported, sampled or not. */
  readonly slowMs: number;
  readonly newTraceId: () => string;
  readonly newSpanId: () => string;
  readonly export: (span: Span) => void;
};

export type SpanStart = {
  readonly name: string;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: readonly TraceContext[];
  /** Time of the monotonic clock; by default now. */
  readonly startMs?: number;
};

export type TraceStart = SpanStart & {
  readonly parent?: TraceContext | null;
  /** By default the parent's decision, or chance. */
  readonly isSampled?: boolean;
};

const VERSION = '00';

const SAMPLED = 1;

export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
};

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Spans of one trace that are held at most; those beyond it are not exported. A batch that falls apart has most of them. */
const SPANS_MAX = 64;

export class Span {
  readonly trace: Trace;
  readonly parent: Span | null;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly links: readonly TraceContext[];
  name: string;
  /** Milliseconds of the monotonic clock. */
  readonly startMs: number;
  endMs: number | null = null;
  /** A word for what went wrong, never a message. */
  error: string | null = null;
  #id: string | undefined;

  constructor(trace: Trace, parent: Span | null, start: SpanStart) {
    this.trace = trace;
    this.parent = parent;
    this.name = start.name;
    this.kind = start.kind ?? 'internal';
    this.attributes = start.attributes ?? {};
    this.links = start.links ?? [];
    this.startMs = start.startMs ?? performance.now();
  }

  get id(): string {
    this.#id ??= this.trace.tracing.newSpanId();
    return this.#id;
  }

  get context(): TraceContext {
    const { traceId, isSampled } = this.trace;
    return { traceId, spanId: this.id, isSampled };
  }

  get traceparent(): string {
    const { traceId, spanId, isSampled } = this.context;
    return `${VERSION}-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;
  }

  end(error: string | null = null): void {
    if (this.endMs !== null) return;
    this.endMs = performance.now();
    this.error ??= error;
  }
}

export class Trace {
  readonly tracing: Tracing;
  /** Span of another process that this trace belongs to. */
  readonly parent: TraceContext | null;
  readonly first: Span;
  readonly #spans: Span[];
  #traceId: string | undefined;
  #isSampled: boolean | undefined;

  constructor(tracing: Tracing, start: TraceStart) {
    this.tracing = tracing;
    this.parent = start.parent ?? null;
    this.#isSampled = start.isSampled;
    this.first = new Span(this, null, start);
    this.#spans = [this.first];
  }

  get traceId(): string {
    this.#traceId ??= this.parent?.traceId ?? this.tracing.newTraceId();
    return this.#traceId;
  }

  /** Decided when it is first asked, which is never for a request that is refused before. */
  get isSampled(): boolean {
    this.#isSampled ??= this.tracing.sample(this.parent) && this.tracing.hasRoom();
    return this.#isSampled;
  }

  begin(start: SpanStart): Span {
    const span = new Span(this, this.first, start);
    if (this.#spans.length < SPANS_MAX) this.#spans.push(span);
    return span;
  }

  /** Begins another trace, whose first span links to the first span here. */
  beginApart(start: SpanStart): Trace {
    return new Trace(this.tracing, { ...start, links: [this.first.context] });
  }

  /** Open spans have failed, and so has the whole trace. */
  fail(error: string): void {
    for (const span of this.#spans) if (span !== this.first && span.endMs === null) span.end(error);
    this.first.error ??= error;
  }

  /** @param maySample false exports a slow or failed trace alone */
  end(maySample = true): void {
    const { first, tracing } = this;
    for (const span of this.#spans) span.end();
    const tookMs = (first.endMs ?? first.startMs) - first.startMs;
    const stands = first.error !== null || tookMs >= tracing.slowMs;
    const isSampled = this.#isSampled === true || (maySample && this.isSampled);
    if (!isSampled && !(stands && tracing.hasRoom())) return;
    for (const span of this.#spans) tracing.export(span);
  }
}

/**
 * Parses `traceparent` of W3C Trace Context, a header that a stream entry carries as well. Null for any other text: the sender's
 * trace is then unknown.
 */
export function parseTraceparent(text: string | null | undefined): TraceContext | null {
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return null;
  // Later versions may have more fields, and this one has none.
  if (version === VERSION && more !== undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}
