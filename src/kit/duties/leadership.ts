/**
 * Duties that one process of a market does at a time. The row of a duty says who does it, in which epoch, and until when
 * by Postgres' clock; another process takes it over once that time has passed. No connection is held meanwhile.
 *
 * A process that stood still does not know that it was replaced. So each write of a leader goes through `writes`: it names
 * its epoch in the database transaction that writes, fails once there is a newer one, and holds the row, so that none can
 * begin before its commit. What is harmless when two do it, such as appending to a stream, needs no epoch.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Statement } from '../database/pool.ts';
import type { Failpoint } from '../process/failpoint.ts';
import { Failure } from '../words/failure.ts';

export const LEADER_DUTIES = [
  'reconcile',
  'partitions',
  'keys',
  'watch',
  'labels',
  'tallies',
  'purge',
  'dead-letters',
  'cases',
  'decisions',
  'case-figures',
  'webhooks',
] as const;
export type LeaderDuty = (typeof LEADER_DUTIES)[number];

export type Writes = Pick<Database, 'query' | 'transaction'>;

type Lead = {
  /** Runs `work` unless another process leads; resolves to whether it ran. One call at a time. */
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
  /** The writes of `work`, each in a database transaction that proves the epoch. */
  readonly writes: Writes;
};

export type Leadership = {
  readonly of: (duty: LeaderDuty) => Lead;
  /** Gives up the lead of this process, so that others need not wait for the end of its term. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** How long a dead process keeps its duties. */
const LEASE_MS = 6000;
const RENEW_MS = LEASE_MS / 3;

/**
 * Takes or renews a duty. A row that is locked by a write of its owner is skipped: its owner is at work, or
 * stopped in the middle of a write, which Postgres ends after twice the statement timeout.
 */
const takeStatement = {
  name: 'take-leadership',
  text: `with free as (
           select duty from market.leaderships
            where duty = $1 and (owner = $2 or expires_at < now())
              for no key update skip locked)
         update market.leaderships led
            set owner = $2, epoch = led.epoch + (led.owner <> $2)::int, expires_at = now() + interval '${LEASE_MS} ms'
           from free where led.duty = free.duty
         returning led.epoch`,
};

const makeStatement = {
  name: 'make-leadership',
  text: 'insert into market.leaderships (duty) values ($1) on conflict do nothing',
};

const holdStatement = {
  name: 'hold-leadership',
  text: 'select from market.leaderships where duty = $1 and owner = $2 and epoch = $3 for share',
};

const giveUpStatement = {
  name: 'give-leadership-up',
  text: `update market.leaderships set expires_at = '-infinity' where duty = $1 and owner = $2`,
};

/** @param owner unique for this start of this process */
export function createLeadership(
  database: Writes,
  owner: string,
  failpoint: Failpoint = () => undefined,
): Leadership {
  const leads = new Map<LeaderDuty, OwnLead>();
  return {
    of: (duty) => {
      const lead = leads.get(duty) ?? createLead({ database, owner, failpoint }, duty);
      leads.set(duty, lead);
      return lead;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...leads.values()].map((lead) => lead.giveUp()));
    },
  };
}

type OwnLead = Lead & { readonly giveUp: () => Promise<void> };

type Parts = { readonly database: Writes; readonly owner: string; readonly failpoint: Failpoint };

function createLead({ database, owner, failpoint }: Parts, duty: LeaderDuty): OwnLead {
  /** Undefined while another process leads. */
  let epoch: string | undefined;
  let renewedMs = Number.NEGATIVE_INFINITY;
  let isMade = false;
  const take = async (): Promise<string | undefined> => {
    if (!isMade) await database.query(makeStatement, [duty]);
    isMade = true;
    const askedMs = performance.now();
    const [taken] = await database.query<{ epoch: string }>(takeStatement, [duty, owner]);
    renewedMs = taken === undefined ? Number.NEGATIVE_INFINITY : askedMs;
    return taken?.epoch;
  };
  const renewUntil = async (end: AbortSignal) => {
    for (;;) {
      await sleep(RENEW_MS, undefined, { signal: end }).catch(() => undefined);
      if (end.aborted) return;
      // The work belongs to the epoch before; a newer epoch is for the next run.
      if ((await take().catch(() => undefined)) !== epoch) renewedMs = Number.NEGATIVE_INFINITY;
    }
  };
  const giveUp = async () => {
    if (epoch === undefined) return;
    epoch = undefined;
    renewedMs = Number.NEGATIVE_INFINITY;
    // Without Postgres its term ends by itself.
    await database.query(giveUpStatement, [duty, owner]).catch(() => undefined);
  };
  const prove: Writes['transaction'] = (work) =>
    database.transaction(async (query) => {
      if (epoch === undefined) throw new Error(`${duty} is not led`);
      const held = await query(holdStatement, [duty, owner, epoch]);
      if (held.length > 0) return await work(query);
      throw new Failure('transient', 'LEADERSHIP_LOST', `another process leads ${duty} since`);
    });
  const pass = ({ name }: Statement) => failpoint(`leader-before-${name}`);
  return {
    giveUp,
    run: async (work) => {
      if (performance.now() - renewedMs > RENEW_MS) epoch = await take();
      if (epoch === undefined) return false;
      const end = new AbortController();
      const renewing = renewUntil(end.signal);
      let isDone = false;
      try {
        await work();
        isDone = true;
      } finally {
        end.abort();
        await renewing;
        // Another process may succeed where this one failed.
        if (!isDone) await giveUp();
      }
      return true;
    },
    writes: {
      transaction: (work) =>
        prove((query) =>
          work((statement, values) => {
            pass(statement);
            return query(statement, values);
          }),
        ),
      query: (statement, values) => {
        pass(statement);
        return prove((query) => query(statement, values));
      },
    },
  };
}

const readOwner = {
  name: 'read-leader',
  text: 'select owner from market.leaderships where duty = $1 and expires_at >= now()',
};

/** Names the process that leads a duty now; undefined where none does. */
export async function readLeader(
  database: Pick<Database, 'query'>,
  duty: LeaderDuty,
): Promise<string | undefined> {
  const [row] = await database.query<{ owner: string }>(readOwner, [duty]);
  return row?.owner;
}
