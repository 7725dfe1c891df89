/** Spans of a commit and of its append, one in the trace of each request that shares them. */
import { SENDS, SPANS } from '../../kit/traces/names.ts';
import type { Span, SpanStart, Trace } from '../../kit/traces/trace.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';

type Traced = Pick<NewTransaction, 'trace'>;
type Rows = readonly { readonly transactions: readonly Traced[] }[];
type CommitSpans = ReadonlyMap<Trace | undefined, Span>;

const NONE: CommitSpans = new Map();
const COMMIT: SpanStart = { name: SPANS.commit };
const SEND: SpanStart = { name: SPANS.send, kind: 'producer', attributes: SENDS };

export const beginCommits = (transactions: readonly Traced[]) =>
  beginEach([{ transactions }], COMMIT);
export const beginSends = (rows: Rows) => beginEach(rows, SEND);

function beginEach(rows: Rows, start: SpanStart): CommitSpans {
  // Where traces are on, every transaction has one.
  if (rows[0]?.transactions[0]?.trace === undefined) return NONE;
  const spans = new Map<Trace, Span>();
  let last: Trace | undefined;
  for (const { transactions } of rows) {
    for (const { trace } of transactions) {
      if (trace === last || trace === undefined) continue;
      if (!spans.has(trace)) spans.set(trace, trace.begin(start));
      last = trace;
    }
  }
  return spans;
}

export function endEach(spans: CommitSpans): void {
  for (const span of spans.values()) span.end();
}

/** The `traceparent` that an entry has of a transaction whose request is sampled. */
export function senderOf(spans: CommitSpans, { trace }: Traced): string | null {
  return trace?.isSampled ? (spans.get(trace)?.traceparent ?? null) : null;
}
