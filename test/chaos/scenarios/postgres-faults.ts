/**
 * Postgres restarts, loses all its slots, holds a lock, is slow, far away or cut off in the middle
 * of a COMMIT. Nothing is acknowledged that is not committed, refusals are quick and carry `Retry-After`, and
 * no healthy transaction ends among the dead letters.
 */
import pg from 'pg';
import { MARKET } from '../../../bench/support/market.ts';
import { freeze } from '../../support/freeze.ts';
import { during, onTheWay } from '../support/during.ts';
import { barAnswers, barRefusals } from '../support/refusals.ts';
import type { Scenario } from '../support/scenario.ts';

const RECOVERY_SECONDS_MAX = 15;
const LATENCY_MS = 200;
const SLOTS = 40;
const CUTS = 20;
const CUT_PAUSE_MS = 300;

const judge = barRefusals;

const restarted = during({
  name: 'postgres-restarted',
  what: 'Postgres is stopped fast (SIGINT), then killed (SIGKILL), and started again',
  faults: ['postgres stopped', 'postgres killed'],
  forMs: [500, 2000],
  judge,
  setup: { countersExact: false },
  harm: async ({ services: { postgres }, happened }, round) => {
    await postgres.end(round === 0 ? 'SIGINT' : 'SIGKILL');
    happened(round === 0 ? 'postgres stopped' : 'postgres killed');
    return () => postgres.start();
  },
});

/** Takes every slot that is free or becomes free, until it has to give them back. */
const slots = during({
  name: 'postgres-slots-taken',
  what: 'all connection slots are taken, after the sessions of the engine were ended',
  faults: ['slots ran out'],
  forMs: [2000, 4000],
  judge,
  setup: { countersExact: false, postgresSettings: { max_connections: String(SLOTS) } },
  harm: async ({ services: { databaseUrl, query }, happened }) => {
    const taken: pg.Client[] = [];
    const take = async (): Promise<boolean> => {
      const client = new pg.Client({ connectionString: databaseUrl, application_name: 'greedy' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        taken.push(client);
        return true;
      } catch {
        return false;
      }
    };
    await query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'risk%'`,
    );
    while (taken.length < SLOTS * 2 && (await take()));
    if (taken.length > 0) happened('slots ran out');
    return () => Promise.all(taken.map((client) => client.end()));
  },
});

const locked = during({
  name: 'postgres-locked',
  what: 'transactions, then scores, are locked (ACCESS EXCLUSIVE)',
  faults: ['table locked'],
  forMs: [3000, 5000],
  judge,
  setup: { countersExact: false },
  harm: async ({ services: { databaseUrl }, happened }, round) => {
    const client = new pg.Client({ connectionString: databaseUrl, application_name: 'locker' });
    await client.connect();
    await client.query('begin');
    const table = round === 0 ? 'transactions' : 'scores';
    await client.query(`lock table ${MARKET}.${table} in access exclusive mode`);
    happened('table locked');
    return async () => {
      await client.query('rollback');
      await client.end();
    };
  },
});

const frozen = during({
  name: 'postgres-frozen',
  what: 'Postgres answers nothing and closes nothing (SIGSTOP of all its processes)',
  faults: ['postgres frozen'],
  forMs: [3000, 5000],
  judge,
  setup: { countersExact: false },
  harm: async ({ services: { postgres }, happened }) => {
    const frozen = freeze(postgres);
    happened('postgres frozen');
    return async () => frozen.thaw();
  },
});

/** Name of the statement that is its own commit; it is in each of its messages. */
const CLAIM = 'claim-transactions';

const cutAtClaim: Scenario = {
  name: 'commit-unknown',
  what: 'the connection is cut at a claim, which is its own commit, before or after Postgres received it',
  setup: { proxied: ['postgres'], countersExact: false, recoverSecondsMax: RECOVERY_SECONDS_MAX },
  plan: (random) => {
    const cuts = Array.from({ length: CUTS }, () => random() < 0.5);
    return {
      schedule: cuts.map((forwarded) => (forwarded ? 'after' : 'before')),
      faults: ['cut before the claim arrived', 'cut after the claim arrived'],
      run: async ({ proxies, happened, pause, until }) => {
        const proxy = proxies.postgres;
        if (proxy === undefined) throw new Error('Postgres stands behind no proxy');
        for (const forwarded of cuts) {
          proxy.inflict({ kind: 'cut', at: CLAIM, forwarded, times: 1 });
          await until('a claim was cut', () => proxy.effects() > 0);
          happened(forwarded ? 'cut after the claim arrived' : 'cut before the claim arrived');
          await pause(CUT_PAUSE_MS);
        }
        proxy.heal();
      },
      judge,
    };
  },
};

export const postgresFaults: readonly Scenario[] = [
  restarted,
  slots,
  locked,
  frozen,
  cutAtClaim,
  ...onTheWay('postgres', LATENCY_MS, barAnswers),
];
