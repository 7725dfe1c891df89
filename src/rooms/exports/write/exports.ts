/** Exports of one API process: as many at a time as may run, each in the audit log as it begins and as it ends. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { AuditAction } from '../../../kit/words/audit.ts';
import type { ConsistencyToken } from '../../../kit/words/consistency-token.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { type SendBytes, sendExport } from './export-body.ts';
import type { ExportParameters } from './export-parameters.ts';
import { FULL_PACE, type Pace, prepareExport } from './export-transactions.ts';

export type ExportSink = {
  readonly send: SendBytes;
  /** Resolves once everything is taken. */
  readonly close: () => Promise<void>;
  /** Aborted when nobody takes the bytes any more, or the process drains. */
  readonly signal: AbortSignal;
};

export type BegunExport = {
  readonly exportId: string;
  /** Must be called, as it gives the place back. Rejects where the export breaks off. */
  readonly run: (sink: ExportSink) => Promise<void>;
};

export type Exports = ReturnType<typeof createExports>;

/**
 * While transactions are submitted, an export rests 19 times as long as it worked: it takes a twentieth of the thread. With a tenth,
 * the p99 of posts on two busy cores was 1.5 and 1.7 times as long as alone, with a quarter 2.2.
 */
const REST_TIMES = 19;
/** Beyond what a row group of Parquet asks for, a long piece is one that waited for Postgres. */
const REST_MS_MAX = 2000;
/**
 * A page of EXPORT_PAGE_ROWS takes Postgres a twentieth of a second, 100 rows take 2 ms of the event loop, and a row group of Parquet of
 * ROW_GROUP_ROWS 30: a post waits for less.
 */
const BUSY_PACE: Pace = { pageRows: 1000, takenRows: 100, groupRows: 2000 };

/**
 * @param databases    whose primary is a pool for exports alone
 * @param isSubmitting whether transactions are being submitted to this process
 */
export function createExports(
  databases: Databases,
  exportsMax: number,
  metrics: Pick<Metrics, 'exportRows' | 'exportsEnded'>,
  isSubmitting: () => boolean,
) {
  let running = 0;
  const endings = new Set<Promise<void>>();
  const paceNow = () => (isSubmitting() ? BUSY_PACE : FULL_PACE);
  return {
    exportsMax,
    /** Resolves once the end of each export that runs is in the audit log, or could not be written there. */
    ended: async () => {
      await Promise.allSettled(endings);
    },
    /**
     * Undefined: as many are running as may.
     * @param question the parameters as they were given
     * @param write    its rows include the write of this token
     */
    async begin(
      asked: ExportParameters,
      question: Readonly<Record<string, string>>,
      by: Actor,
      write?: ConsistencyToken,
    ): Promise<BegunExport | undefined> {
      if (running >= exportsMax) return undefined;
      running += 1;
      const { format } = asked;
      const exportId = randomUUID();
      const record = (action: AuditAction, after: object) =>
        databases.primary.transaction((query) =>
          recordChange(query, by, { action, subject: exportId, before: null, after }),
        );
      try {
        const runExport = await prepareExport(databases, asked, write, paceNow);
        await record('export.begin', { question });
        const runToEnd = async ({ send, close, signal }: ExportSink) => {
          let rows = 0;
          let outcome: 'complete' | 'broken_off' = 'broken_off';
          const countRows = (some: number) => {
            rows += some;
            metrics.exportRows.inc({ format }, some);
          };
          let beganMs = performance.now();
          const sendAndRest: SendBytes = async (bytes) => {
            const workedMs = performance.now() - beganMs;
            await send(bytes);
            const restMs = isSubmitting() ? Math.min(REST_MS_MAX, REST_TIMES * workedMs) : 0;
            if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => undefined);
            signal.throwIfAborted();
            beganMs = performance.now();
          };
          try {
            const groupRowsMax = () => paceNow().groupRows;
            await sendExport(runExport, asked, sendAndRest, signal, countRows, groupRowsMax);
            await close();
            outcome = 'complete';
          } finally {
            running -= 1;
            metrics.exportsEnded.inc({ format, outcome });
            await record('export.end', { outcome, rows });
          }
        };
        const run = (sink: ExportSink) => {
          const ending = runToEnd(sink).finally(() => endings.delete(ending));
          endings.add(ending);
          return ending;
        };
        return { exportId, run };
      } catch (error) {
        running -= 1;
        throw error;
      }
    },
  };
}
