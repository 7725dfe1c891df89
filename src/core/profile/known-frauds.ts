/**
 * The frauds in a profile, nearly always none: a rebuild brings them, and a label that changes them invalidates the profile.
 * Stored, if there are any: floor (f64), then of each span created_at, from, until (f64) and a flag (u32, padded to 8 bytes).
 */
import {
  FRAUD_RATE_SMOOTHING,
  FRAUDS_SEEN_MAX,
  type FraudSpan,
  type KnownFrauds,
  NO_FRAUDS,
} from '../domain/history.ts';

const FLOOR_BYTES = 8;
/** Whole words of 8 bytes, so that the records behind the spans stay aligned. */
const SPAN_BYTES = 32;

/** @param count number of spans */
export function fraudsBytes(count: number): number {
  return count === 0 ? 0 : FLOOR_BYTES + count * SPAN_BYTES;
}

export function writeFrauds(view: DataView, offset: number, { spans, floorMs }: KnownFrauds): void {
  if (spans.length === 0) return;
  view.setFloat64(offset, floorMs, true);
  spans.forEach(({ createdAtMs, fromMs, untilMs, isUnusual }, index) => {
    const at = offset + FLOOR_BYTES + index * SPAN_BYTES;
    view.setFloat64(at, createdAtMs, true);
    view.setFloat64(at + 8, fromMs, true);
    view.setFloat64(at + 16, untilMs, true);
    view.setUint32(at + 24, isUnusual ? 1 : 0, true);
    view.setUint32(at + 28, 0, true);
  });
}

export function readFrauds(view: DataView, offset: number, count: number): KnownFrauds {
  if (count === 0) return NO_FRAUDS;
  const spans: FraudSpan[] = [];
  for (let at = offset + FLOOR_BYTES; spans.length < count; at += SPAN_BYTES) {
    spans.push({
      createdAtMs: view.getFloat64(at, true),
      fromMs: view.getFloat64(at + 8, true),
      untilMs: view.getFloat64(at + 16, true),
      isUnusual: view.getUint32(at + 24, true) === 1,
    });
  }
  return { spans, floorMs: view.getFloat64(offset, true) };
}

/** True when the spans include all frauds that a history since `sinceMs` may use. */
export function knowsFrauds(frauds: KnownFrauds, atMs: number, sinceMs: number) {
  return (
    frauds.floorMs < sinceMs ||
    seenFrauds(frauds, atMs, Number.NEGATIVE_INFINITY).length >= FRAUDS_SEEN_MAX
  );
}

/**
 * The spans that a transaction uses, newest first: siblings created since a time and before its millisecond that
 * the newest label known by then calls fraud.
 */
export function seenFrauds({ spans }: KnownFrauds, atMs: number, sinceMs: number): FraudSpan[] {
  const seen: FraudSpan[] = [];
  for (let index = spans.length - 1; index >= 0 && seen.length < FRAUDS_SEEN_MAX; index--) {
    const span = spans[index] as FraudSpan;
    if (span.createdAtMs < sinceMs) break;
    if (span.createdAtMs >= atMs) continue;
    if (span.fromMs <= atMs && atMs < span.untilMs) seen.push(span);
  }
  return seen;
}

/** Spans created in [fromMs, toMs). */
export function countCreated(spans: readonly FraudSpan[], fromMs: number, toMs: number): number {
  let count = 0;
  for (const { createdAtMs } of spans) {
    if (createdAtMs >= fromMs && createdAtMs < toMs) count += 1;
  }
  return count;
}

export function fraudRate(frauds: number, transactions: number): number {
  return frauds / (transactions + FRAUD_RATE_SMOOTHING);
}
