/** The header `traceparent` of W3C Trace Context, which a stream entry carries as well. Pure. */

export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
};

const VERSION = '00';
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Null for a text that is no `traceparent`: the sender's trace is then unknown. */
export function parseTraceparent(text: string | null | undefined): TraceContext | null {
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(text ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return null;
  // Later versions may have more fields, and this one has none.
  if (version === VERSION && more !== undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `${VERSION}-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;
}
