/**
 * Processes that end themselves at a named place in the code, each place several times under load: before
 * and after a commit, before and after an append, with a batch in hand, between a commit and its
 * acknowledgement, between a dead letter's row and its acknowledgement.
 */
import { integerBetween } from '../../../src/kit/random.ts';
import { findLostOf, listOldRows } from '../support/lost-rows.ts';
import type { Scenario } from '../support/scenario.ts';

const ROUNDS = 3;
/** A batch takes some 10 ms, a request some 30 ms: an armed process lives for a second or two. */
const PASSES_MAX = 30;
const DEATH_MS_MAX = 60_000;
const POISONED = 'acc_chaos_poisoned';
/** A row is older than that when its transaction is given up, and is mostly appended. */
const OLD_SECONDS = 0.05;
/** A healthy API has appended a row meanwhile, and the reconciler looks only for rows of a second. */
const APPENDED_MS = 200;
/** The bar that an acknowledgement before the row of a dead letter breaches. */
export const LOST_BY_DEATH = 'rows that no entry carried after the death';

function failpoint(
  name: string,
  point: `${'api' | 'worker'}-${string}`,
  what: string,
  extra: {
    readonly passesMax?: number;
    readonly setup?: Scenario['setup'];
    /** The death leaves each open row in an entry, so that the reconciler has nothing to bring back. */
    readonly losesNoRow?: boolean;
  } = {},
): Scenario {
  const role = point.startsWith('api') ? 'api' : 'worker';
  const fault = `${role} ended at ${point}`;
  return {
    name,
    what,
    setup: extra.setup ?? {},
    plan: (random) => {
      const passes = Array.from({ length: ROUNDS }, () =>
        integerBetween(random, 1, extra.passesMax ?? PASSES_MAX),
      );
      let lost = 0;
      return {
        schedule: passes.map((pass) => `${point}:${pass}`),
        faults: [fault],
        run: async ({ engine, services, happened, until, pause }) => {
          const victim = `${role}-1`;
          for (const pass of passes) {
            await engine.drain(victim);
            const armed = await engine.start(role, victim, {
              ...{ failpoint: `${point}:${pass}`, wait: false },
            });
            await until(`${fault}:${pass}`, armed.hasEnded, DEATH_MS_MAX);
            const how = await armed.ended;
            if (how !== 'SIGKILL') throw new Error(`${victim} ended by ${how}`);
            happened(fault);
            if (extra.losesNoRow) {
              // The second look finds what has just been committed, or moved while the first look lasted.
              const once = await findLostOf(services, await listOldRows(services, OLD_SECONDS));
              await pause(APPENDED_MS);
              const open = new Set((await listOldRows(services, 0)).map(({ rowId }) => rowId));
              const twice = await findLostOf(services, once);
              lost += twice.filter(({ rowId }) => open.has(rowId)).length;
            }
            await engine.start(role, victim);
          }
        },
        judge: ({ bar }) => {
          if (extra.losesNoRow) bar(LOST_BY_DEATH, lost, { exactly: 0 });
        },
      };
    },
  };
}

export const failpoints: readonly Scenario[] = [
  failpoint('api-before-commit', 'api-before-commit', 'the API dies before it commits'),
  failpoint(
    'api-before-append',
    'api-after-commit',
    'the API dies between the commit and the append',
  ),
  failpoint(
    'api-after-append',
    'api-after-append',
    'the API dies between the append and closing the batch',
  ),
  failpoint('worker-after-read', 'worker-after-read', 'a worker dies with entries it has read'),
  failpoint(
    'worker-before-acknowledge',
    'worker-after-commit',
    'a worker dies between storing scores and acknowledging',
  ),
  failpoint(
    'worker-between-dead-letter-and-acknowledge',
    'worker-after-dead-letters',
    'a worker dies between the rows of dead letters and their acknowledgement',
    {
      passesMax: 3,
      losesNoRow: true,
      setup: {
        environment: { RISK_TEST_POISON: `throw:${POISONED}`, RISK_RETRY_BASE_MS: '100' },
        spoiled: { every: 200, account: POISONED },
      },
    },
  ),
];
