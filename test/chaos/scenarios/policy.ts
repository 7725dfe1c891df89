/**
 * A policy is frozen, a night is refused, and the policy ends, each while decisions wait to be stored; a worker that waits is killed,
 * and what it sent reaches the store without it. Meanwhile a poisoned night waits for two people.
 */
import { MARKET } from '../../../bench/support/market.ts';
import { tableName } from '../../../src/core/score/scorecard/judge-by-table.ts';
import { insertTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { openPool } from '../../../src/kit/database/pool.ts';
import { integerBetween } from '../../../src/kit/random.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { newTable } from '../../support/day-tables.ts';
import { holdOpen } from '../../support/hold-open.ts';
import { insertPersonKey } from '../../support/people.ts';
import { learntTable } from '../../support/policies.ts';
import { askApi } from '../support/ask.ts';
import type { Scenario } from '../support/scenario.ts';

/** The load begins 20 days ago: its payments are judged by the newest table of the days before. */
const TABLE_DAYS_AGO = { older: 23, refused: 22, poisoned: 21 } as const;
/** Longer than a worker that was killed leaves its entries, and than others need to decide by something else. */
const AFTER_MS = 4000;
const TIMEOUT_MS = 30_000;
const reason = 'chaos';
/** Bars that a store without its look at policies, and workers without their look at nights that wait, breach. */
export const BY_ENDED = 'scores by a policy or a night that was out of force';
export const BY_UNTAKEN = 'scores by a night that waits for two people';

const STORING = `select from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and application_name like 'risk-worker%'`;

export const policy: Scenario = {
  name: 'policy',
  what: 'a policy is frozen and ended and a night is refused while decisions wait to be stored, kill -9 of a worker each time',
  setup: { workers: 2, rate: 300 },
  plan: (random) => {
    const killed = Array.from({ length: 3 }, () => `worker-${integerBetween(random, 1, 2)}`);
    const changes = ['policy frozen', 'night refused', 'policy ended'] as const;
    let late = 0;
    return {
      schedule: changes.map((change, nth) => `${change}, kill -9 of ${killed[nth]}`),
      faults: [...changes, 'scores by the policy'],
      run: async ({ engine, services, happened, until, pause }) => {
        await using pool = openPool({
          ...{ url: services.databaseUrl, market: MARKET, role: 'chaos', connectionsMax: 2 },
          ...{ connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS },
          namedStatements: false,
        });
        const store = async (what: keyof typeof TABLE_DAYS_AGO) => {
          const day = Math.floor(Date.now() / DAY_MS) - TABLE_DAYS_AGO[what];
          const { table } = learntTable(what, { day });
          await insertTable(pool.query, newTable(table, { isTaken: what !== 'poisoned' }));
          return tableName(table);
        };
        await store('older');
        const refused = await store('refused');
        await store('poisoned');
        const people = ['Ann', 'Bob'].map((name) =>
          insertPersonKey({ sql: services.query }, name, ['risk_officer']),
        );
        const [ann = '', bob = ''] = await Promise.all(people);
        const ask = (apiKey: string, method: 'POST' | 'PUT', path: string, body: object) =>
          askApi<{ approval_id: string; subject: string }>(
            { url: engine.apiUrls[0] ?? '', apiKey },
            ...([method, path, body] as const),
          );
        const byTwo = async (path: string, body: object) => {
          const { approval_id, subject } = await ask(ann, 'POST', path, body);
          await ask(bob, 'POST', `/v1/approvals/${approval_id}/confirm`, {});
          return subject;
        };
        const put = (kind: string, model: string, in_force: boolean) =>
          ask(bob, 'PUT', `/v1/controls/${kind}/model:${model}`, { in_force, reason });
        const count = async (serials: readonly number[] = [1, 2, 3]) => {
          const [row] = await services.query<{ scores: number }>(
            'select count(*)::int as scores from scores where model is not null and scorecard = any ($1::int[])',
            [serials],
          );
          return row?.scores ?? 0;
        };
        const untilDecided = async () => {
          const before = await count();
          await until('the policy decides', async () => (await count()) > before);
        };

        const name = await byTwo('/v1/scorecard-policies', {
          ...{ corridor: 'US-EG', review_share: 0.01, decline_share: 0.001, reason },
          ends_at: new Date(Date.now() + DAY_MS).toISOString(),
        });
        const everywhere = { corridor: 'all', to: 'active', override: reason };
        await byTwo(`/v1/models/${name}/proposals`, everywhere);
        const change = async (nth: number, change: () => Promise<unknown>, serials?: number[]) => {
          const worker = killed[nth] ?? '';
          await using held = await holdOpen(pool, 'lock table market.scores in exclusive mode');
          await until('decisions wait', async () => (await services.query(STORING)).length > 1);
          await engine.kill(worker);
          await change();
          const before = await count(serials);
          await held.letGo();
          await engine.start('worker', worker);
          await pause(AFTER_MS);
          late += (await count(serials)) - before;
          happened(changes[nth] ?? '');
        };
        await untilDecided();
        await change(0, () => put('stop', name, true));
        await put('stop', name, false);
        await untilDecided();
        await change(1, () => put('stop', refused, true), [2]);
        await untilDecided();
        await change(2, () => put('scorecard', name, false));
        happened('scores by the policy', await count());
      },
      judge: async ({ engine, services, bar }) => {
        const untaken = await services.query('select from scores where scorecard = 3');
        bar(BY_ENDED, late, { exactly: 0 });
        bar(BY_UNTAKEN, untaken.length, { exactly: 0 });
        // The command fails where a score is verified to other bits.
        await engine.command(['verify', 'scores', '--sample', '100000'], {});
      },
    };
  },
};
