/**
 * Leases: duties that one process of a market does at a time. The row of a lease says who holds it, in which epoch, and until
 * when by Postgres' clock; another process takes the lease over once that time has passed. No connection is held meanwhile.
 *
 * A process that stood still does not know that it was replaced. So each write of a leader goes through `writes`: the database
 * transaction that writes names the epoch, fails once there is a newer one, and keeps any takeover waiting until its commit.
 * A write that is harmless when two processes do it, such as appending to a stream, needs no epoch.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { shareCalls } from '../caches/at-most-once-in.ts';
import type { Database, Statement } from '../database/pool.ts';
import { firstOf } from '../database/statement.ts';
import type { Failpoint } from '../process/failpoint.ts';
import { Failure } from '../words/failure.ts';

/** `repair` brings back what a crash or a lost store left behind, `care` is all other upkeep. */
export const LEASES = ['repair', 'care'] as const;
export type Lease = (typeof LEASES)[number];
/** Held by a process that leads nothing, so that the holder of both leases gives one of them up. */
const STANDBY = 'standby';

export type Writes = Pick<Database, 'query' | 'transaction'>;

export type Leadership = ReturnType<typeof createLeadership>;

/** How long a dead process keeps its leases. */
const LEASE_MS = 6000;
const RENEW_MS = LEASE_MS / 3;
/** A lease that another process holds is asked for again after this time, by whichever duty comes next. */
const ASK_AGAIN_MS = 400;

const makeStatement = {
  name: 'make-leadership',
  text: 'insert into market.leaderships (duty) values ($1) on conflict do nothing',
};

const renewStatement = {
  name: 'renew-leadership',
  text: `update market.leaderships set expires_at = now() + interval '${LEASE_MS} ms'
          where duty = $1 and owner = $2 and epoch > 0 returning epoch`,
};

const LOCK = `('market.leaderships'::regclass::oid::int4, hashtext($1))`;

/**
 * Takes a lease whose term is over. While a write of its owner is under way the lease is left to that owner, which is at work
 * or stopped in the middle of a write; Postgres ends such a write after twice the statement timeout.
 */
const takeStatement = {
  name: 'take-leadership',
  text: `with free as (
           select duty from market.leaderships
            where duty = $1 and owner <> $2
              and case when expires_at < now() then pg_try_advisory_xact_lock${LOCK} else false end
              for no key update skip locked)
         update market.leaderships led
            set owner = $2, epoch = led.epoch + 1, expires_at = now() + interval '${LEASE_MS} ms'
           from free where led.duty = free.duty
         returning led.epoch`,
};

// The lock comes before the row, whose newest version is then read: a takeover holds the lock alone until its commit.
const holdStatement = {
  name: 'hold-leadership',
  text: `with held as materialized (select pg_advisory_xact_lock_shared${LOCK})
         select from market.leaderships led, held
          where led.duty = $1 and led.owner = $2 and led.epoch = $3 for key share of led`,
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
) {
  const parts = { database, owner, failpoint };
  const standby = createTerm(parts, STANDBY);
  const leads = new Map(LEASES.map((lease) => [lease, createLead(parts, lease, mayLead)]));
  const isLed = (lease: Lease) => leads.get(lease)?.term.isLed() === true;
  let standbyAskedMs = Number.NEGATIVE_INFINITY;
  let isOtherIdle = false;
  /** A process that leads `repair` leaves `care` to one that leads nothing. */
  async function mayLead(lease: Lease): Promise<boolean> {
    if (lease === 'repair' || !isLed('repair')) return true;
    if (performance.now() - standbyAskedMs > RENEW_MS) {
      standbyAskedMs = performance.now();
      const other = await readLeader(database.query, STANDBY);
      isOtherIdle = other !== undefined && other.owner !== owner;
    }
    return !isOtherIdle;
  }
  return {
    of: (lease: Lease) => {
      const lead = leads.get(lease);
      if (lead === undefined) throw new Error(`there is no lease ${lease}`);
      return {
        /** The writes of `work`, each in a database transaction that proves the epoch. */
        writes: lead.writes as Writes,
        /** Runs `work` unless another process leads; resolves to whether `work` ran. Duties of a lease run side by side. */
        run: async (work: () => Promise<void>): Promise<boolean> => {
          const ran = await lead.run(work);
          const isIdle = !LEASES.some(isLed);
          if (isIdle) await standby.renew();
          else await standby.giveUp();
          return ran;
        },
      };
    },
    /** Gives up the leases of this process, so that others need not wait for the end of its term. */
    [Symbol.asyncDispose]: async () => {
      const terms = [...[...leads.values()].map(({ term }) => term), standby];
      await Promise.all(terms.map((term) => term.giveUp()));
    },
  };
}

type Parts = { readonly database: Writes; readonly owner: string; readonly failpoint: Failpoint };

/** The term of this process in one row. */
function createTerm({ database, owner }: Parts, name: string) {
  /** Undefined while another process leads. */
  let epoch: string | undefined;
  let renewedMs = Number.NEGATIVE_INFINITY;
  let deniedMs = Number.NEGATIVE_INFINITY;
  let isMade = false;
  const ask = async (): Promise<string | undefined> => {
    if (!isMade) await database.query(makeStatement, [name]);
    isMade = true;
    const askedMs = performance.now();
    const values = [name, owner];
    const [renewed] = await database.query<{ epoch: string }>(renewStatement, values);
    const [taken] = renewed
      ? [renewed]
      : await database.query<{ epoch: string }>(takeStatement, values);
    renewedMs = taken === undefined ? Number.NEGATIVE_INFINITY : askedMs;
    if (taken === undefined) deniedMs = askedMs;
    return taken?.epoch;
  };
  const askOnce = shareCalls(ask);
  return {
    epoch: () => epoch,
    isLed: () => epoch !== undefined,
    /** Renews or takes the lease. While work of an epoch goes on, a newer epoch is not taken up. */
    renew: async (isWorking = false): Promise<boolean> => {
      const nowMs = performance.now();
      if (nowMs - renewedMs <= RENEW_MS) return epoch !== undefined;
      if (nowMs - deniedMs <= ASK_AGAIN_MS) return false;
      const found = await askOnce();
      if (!isWorking) epoch = found;
      else if (found !== epoch) renewedMs = Number.NEGATIVE_INFINITY;
      return found !== undefined && found === epoch;
    },
    giveUp: async (): Promise<void> => {
      if (epoch === undefined) return;
      epoch = undefined;
      renewedMs = Number.NEGATIVE_INFINITY;
      // Without Postgres its term ends by itself.
      await database.query(giveUpStatement, [name, owner]).catch(() => undefined);
    },
  };
}

function createLead(parts: Parts, lease: Lease, mayLead: (lease: Lease) => Promise<boolean>) {
  const { database, owner, failpoint } = parts;
  const term = createTerm(parts, lease);
  let running = 0;
  let hasFailed = false;
  let end = new AbortController();
  const renewUntil = async (ended: AbortSignal) => {
    while (!ended.aborted) {
      await sleep(RENEW_MS, undefined, { signal: ended }).catch(() => undefined);
      if (!ended.aborted) await term.renew(true).catch(() => undefined);
    }
  };
  const begin = async (): Promise<boolean> => {
    if (running === 0 && !(await mayLead(lease))) await term.giveUp();
    else if (await term.renew(running > 0)) {
      running += 1;
      if (running > 1) return true;
      end = new AbortController();
      void renewUntil(end.signal);
      return true;
    }
    return false;
  };
  const finish = async () => {
    running -= 1;
    if (running > 0) return;
    end.abort();
    // Another process may succeed where this one failed.
    if (hasFailed) await term.giveUp();
    hasFailed = false;
  };
  const prove: Writes['transaction'] = (work) =>
    database.transaction(async (query) => {
      const epoch = term.epoch();
      if (epoch === undefined) throw new Error(`${lease} is not led`);
      const leads = await query(holdStatement, [lease, owner, epoch]);
      if (leads.length > 0) return await work(query);
      throw new Failure('transient', 'LEADERSHIP_LOST', `another process leads ${lease} since`);
    });
  const pass = ({ name }: Statement) => failpoint(`leader-before-${name}`);
  return {
    term,
    run: async (work: () => Promise<void>): Promise<boolean> => {
      if (!(await begin())) return false;
      try {
        await work();
      } catch (error) {
        hasFailed = true;
        throw error;
      } finally {
        await finish();
      }
      return true;
    },
    writes: {
      transaction: async (work) => {
        let first: string | undefined;
        const done = await prove(async (query) => {
          const done = await work((statement, values) => {
            first ??= statement.name;
            pass(statement);
            return query(statement, values);
          });
          failpoint(`leader-before-commit-of-${first}`);
          return done;
        });
        failpoint(`leader-after-commit-of-${first}`);
        return done;
      },
      query: (statement, values) => {
        pass(statement);
        return prove((query) => query(statement, values));
      },
    } satisfies Writes,
  };
}

/** Names the process that holds a lease now, as `owner`; undefined where none does. */
export const readLeader = firstOf<{ owner: string }, [lease: string]>(
  'read-leader',
  'select owner from market.leaderships where duty = $1 and expires_at >= now()',
);
