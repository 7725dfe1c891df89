/**
 * The trace of a batch, where traces are on: one span that links to the sender of each sampled transaction, with a span for each
 * stage below it. Each sampled transaction has a span in its own trace. The first of these traces has the batch, too; a batch
 * without any has a trace of its own, which is exported where the batch is slow or fails.
 */
import {
  ATTEMPT,
  CORRIDOR,
  MARKET,
  MESSAGES,
  PROCESSES,
  SPANS,
  TRANSACTION,
  VERDICT,
} from '../../kit/traces/names.ts';
import type { Traces } from '../../kit/traces/open-traces.ts';
import { parseTraceparent, type Trace, type TraceContext } from '../../kit/traces/trace.ts';
import type { Verdict } from '../domain/score-record.ts';
import type { EntryTransaction } from './decided.ts';

/** Senders that a batch links to. OpenTelemetry keeps no more. */
const LINKS_MAX = 128;
/** Spans of single transactions a batch. More: their export holds up the next batches; fewer: some of a large sampled batch are not seen. */
const SCORES_MAX = 128;

export type BatchTrace = ReturnType<typeof batchTrace>;

/** Begins the trace of a batch. */
export function beginBatchTrace(
  traces: Traces,
  market: string,
  transactions: readonly EntryTransaction[],
): BatchTrace {
  const senders = readSenders(transactions);
  const [first] = senders.values();
  const batch = traces.begin({
    name: SPANS.process,
    kind: 'consumer',
    attributes: { ...PROCESSES, [MESSAGES]: transactions.length, [MARKET]: market },
    parent: first ?? null,
    isSampled: first !== undefined,
    links: [...senders.values()],
  });
  return batchTrace(traces, batch, senders);
}

type Senders = ReadonlyMap<string, TraceContext>;

function readSenders(transactions: readonly EntryTransaction[]): Senders {
  const senders = new Map<string, TraceContext>();
  for (const { transaction } of transactions) {
    const { sender } = transaction;
    if (sender === null || senders.has(sender) || senders.size === LINKS_MAX) continue;
    const context = parseTraceparent(sender);
    if (context !== null) senders.set(sender, context);
  }
  return senders;
}

function batchTrace(traces: Traces, batch: Trace, senders: Senders) {
  let noted = 0;
  const note = (
    { head, transaction }: EntryTransaction,
    ended: { verdict?: Verdict; code?: string },
  ) => {
    const sender = senders.get(transaction.sender ?? '');
    if (sender === undefined || noted === SCORES_MAX) return;
    noted += 1;
    const isHere = sender.traceId === batch.traceId;
    const { transactionId, corridor } = transaction;
    const own = traces.begin({
      name: SPANS.score,
      kind: 'consumer',
      startMs: batch.first.startMs,
      parent: isHere ? batch.first.context : sender,
      isSampled: true,
      links: isHere ? [] : [batch.first.context],
      attributes: {
        [TRANSACTION]: transactionId,
        [CORRIDOR]: corridor,
        [ATTEMPT]: head.attempt,
        ...(ended.verdict && { [VERDICT]: ended.verdict }),
      },
    });
    if (ended.code !== undefined) own.fail(ended.code);
    own.end();
  };
  return {
    traceId: () => batch.traceId,
    begin: (name: string) => batch.begin({ name }),
    fail: (code: string) => batch.fail(code),
    /** Transactions whose scores are stored, with a verdict each. */
    noteScores(scored: readonly EntryTransaction[], verdicts: readonly Verdict[]): void {
      if (senders.size === 0) return;
      for (const [index, from] of scored.entries()) {
        const verdict = verdicts[index];
        note(from, verdict === undefined ? {} : { verdict });
      }
    },
    noteFailure(from: EntryTransaction | null, code: string): void {
      batch.fail(code);
      if (from !== null) note(from, { code });
    },
    end: () => batch.end(),
  };
}
