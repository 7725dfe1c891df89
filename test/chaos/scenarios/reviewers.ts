/**
 * People decide cases while the API is killed under their requests, and the worker that opens cases and makes decisions final
 * is killed within each of its database transactions.
 */
import { integerBetween } from '../../../src/kit/random.ts';
import { startReviewers } from '../support/reviewers.ts';
import type { Scenario } from '../support/scenario.ts';

/** Places within the database transactions of the worker that leads. */
const POINTS = [
  'leader-before-open-review-cases',
  'leader-before-insert-labels',
  'leader-before-insert-final-decisions',
] as const;
const PASSES_MAX = 3;
const KILLS = 3;
const KILL_AFTER_MS = { least: 200, most: 1500 };
const UNDO_SECONDS = 1;

const POLICY = `
  insert into review_policies (made_by, policy)
  select 'chaos', policy || $1::jsonb from review_policies order by version desc limit 1`;

export const reviewers: Scenario = {
  name: 'reviewers',
  what: 'people review while the API dies under them, and the worker within what it does with cases',
  setup: { workers: 1, rate: 150 },
  plan: (random) => {
    const passes = POINTS.map((point) => `${point}:${integerBetween(random, 1, PASSES_MAX)}`);
    const { least, most } = KILL_AFTER_MS;
    const waits = Array.from({ length: KILLS }, () => integerBetween(random, least, most));
    let counts = { decided: 0, undone: 0 };
    return {
      schedule: [...passes, ...waits.map((ms) => `API killed after ${ms} ms`)],
      faults: ['worker ended within a database transaction', 'API killed under reviewers'],
      run: async (stage) => {
        const { engine, services, happened, until, pause } = stage;
        const policy = { spot_check_ratio: 0.2, undo_seconds: UNDO_SECONDS };
        await services.query(POLICY, [JSON.stringify(policy)]);
        const people = await startReviewers(stage);
        ({ counts } = people);
        for (const failpoint of passes) {
          await engine.drain('worker-1');
          const armed = await engine.start('worker', 'worker-1', { failpoint, wait: false });
          await until(`the worker ended at ${failpoint}`, armed.hasEnded);
          const how = await armed.ended;
          if (how !== 'SIGKILL') throw new Error(`the worker ended by ${how}`);
          happened('worker ended within a database transaction');
          await engine.start('worker', 'worker-1');
        }
        for (const ms of waits) {
          await pause(ms);
          await engine.kill('api-1');
          await engine.start('api', 'api-1');
          happened('API killed under reviewers');
        }
        await stage.progress(1);
        people.stop();
        await people.done;
      },
      judge: ({ bar }) => {
        bar('decisions that people know to stand', counts.decided, { atLeast: 1 });
        bar('decisions that people took back', counts.undone, { atLeast: 1 });
      },
    };
  },
};
