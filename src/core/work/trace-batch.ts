/** A worker's part in traces of batches. */
import { SPANS } from '../../kit/traces/names.ts';
import { Failure } from '../../kit/words/failure.ts';
import { beginBatchTrace } from './batch-trace.ts';
import type { EntryTransaction } from './decided.ts';
import type { Worker } from './worker.ts';

/** The worker as it works on a batch: the batch's log lines name its trace. */
export function traceBatch(worker: Worker, transactions: readonly EntryTransaction[]): Worker {
  const { traces, market, log } = worker;
  if (!traces || transactions.length === 0) return worker;
  const trace = beginBatchTrace(traces, market.name, transactions);
  return { ...worker, trace, log: log.child({ trace_id: trace.traceId() }) };
}

/** Begins a stage of a batch; its end is measured, too. */
export function beginStage(
  { metrics, trace }: Pick<Worker, 'metrics' | 'trace'>,
  stage: 'fold' | 'store' | 'settle',
): () => void {
  const endTimer = metrics.batchDuration.startTimer({ stage });
  const span = trace?.begin(SPANS[stage]);
  return () => {
    endTimer();
    span?.end();
  };
}

export const codeOf = (error: unknown) =>
  error instanceof Failure ? error.code : 'PROCESSING_FAILED';
