/** Review cases in a worker: one process opens them; each draws spot checks from the transactions that it scores. */
import { raiseCases } from '../../control/cases/raise-cases.ts';
import { isSpotCheck } from '../../review/spot-check.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { readPolicy } from '../../store/cases/review-policies.ts';
import type { Database } from '../../store/database/pool.ts';
import type { Leadership } from '../../store/maintenance/leadership.ts';
import type { DrawSpotCheck } from '../../store/scores/scores.ts';
import type { Duty } from '../../worker/run-duties.ts';

/** A case opens at most this long, and a step, after its score was stored. */
const RAISE_EVERY_MS = 1000;
/** A new ratio of spot checks counts in every worker after this time. */
const RATIO_EVERY_MS = 5000;

export type Cases = {
  /** Draws none until the policy was read once. */
  readonly isSpotCheck: DrawSpotCheck;
  readonly duties: (leadership: Leadership) => Duty[];
};

export function bindCases(
  database: Pick<Database, 'query'>,
  metrics: Pick<Metrics, 'casesOpened' | 'casesUnrated'>,
): Cases {
  let ratio = 0;
  const readRatio: Duty = {
    name: 'read-spot-check-ratio',
    everyMs: RATIO_EVERY_MS,
    run: async () => {
      ratio = (await readPolicy(database)).policy.spot_check_ratio;
    },
  };
  return {
    // The id is made only where it is needed.
    isSpotCheck: (transaction) => ratio > 0 && isSpotCheck(transaction.transactionId, ratio),
    duties: (leadership) => [readRatio, openCasesDuty(leadership, metrics)],
  };
}

function openCasesDuty(
  leadership: Leadership,
  { casesOpened, casesUnrated }: Pick<Metrics, 'casesOpened' | 'casesUnrated'>,
): Duty {
  const lead = leadership.of('cases');
  return {
    name: 'open-cases',
    everyMs: RAISE_EVERY_MS,
    run: async (signal) => {
      await lead.run(async () => {
        let mayHaveMore = true;
        while (mayHaveMore && !signal.aborted) {
          const raised = await raiseCases(lead.writes);
          for (const { source, priority, isUnrated } of raised.opened) {
            casesOpened.inc({ source, priority: `P${priority}` });
            if (isUnrated) casesUnrated.inc();
          }
          mayHaveMore = raised.mayHaveMore;
        }
      });
    },
  };
}
