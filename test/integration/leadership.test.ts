/**
 * Goal: one process at a time does a duty, one that was replaced without knowing it writes nothing, and none of it keeps
 * a connection. Method: two owners over one database, of which one is held up while the other takes over; workers whose
 * pool is as small as it may be.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/kit/database/pool.ts';
import {
  createLeadership,
  LEASES,
  type Lease,
  readLeader,
} from '../../src/kit/duties/leadership.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const DEADLINE_MS = 30_000;

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  await testDatabase.sql(`create table notes (note text); insert into notes values (null)`);
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const leadOf = (owner: string) => createLeadership(database, owner).of('repair');
/** Acts as if the term of its owner had passed, which is renewing it meanwhile. */
const expire = () => testDatabase.sql(`update leaderships set expires_at = now() - interval '1 s'`);
const writeNote = { name: 'test-note', text: 'update market.notes set note = $1' };
async function note(lead: ReturnType<typeof leadOf>, text: string): Promise<void> {
  await lead.writes.query(writeNote, [text]);
}
const readExpiry = {
  text: `select expires_at < now() as "isOver" from market.leaderships where duty = 'repair'`,
};
const readNote = async () =>
  (await testDatabase.sql<{ note: string | null }>('select note from notes'))[0]?.note;

/** Runs `work` as a leader that does not know that `other` has replaced it and has written. */
async function whileReplaced(work: (lead: ReturnType<typeof leadOf>) => Promise<void>) {
  const [lead, other] = [leadOf('one'), leadOf('other')];
  return await lead.run(async () => {
    await note(lead, 'of one');
    const takeOver = async () => {
      await expire();
      return await other.run(() => note(other, 'of other'));
    };
    await waitUntil(takeOver, DEADLINE_MS, 'the other to lead');
    await work(lead);
  });
}

test('a leader that was replaced while it stood still writes nothing', async () => {
  const late = whileReplaced((lead) => note(lead, 'late'));
  await expect(late).rejects.toMatchObject({ kind: 'transient', code: 'LEADERSHIP_LOST' });
  expect(await readNote()).toBe('of other');
});

test('nobody takes over in the middle of a write, nor waits for it', async () => {
  const [lead, other] = [leadOf('one'), leadOf('other')];
  const holdBeyondItsTime = async () => {
    await expire();
    return await lead.writes.transaction(async (query) => {
      expect(await other.run(() => note(other, 'of other'))).toBe(false);
      const [row] = await query<{ isOver: boolean }>(readExpiry);
      return row?.isOver === true;
    });
  };
  await lead.run(async () => {
    await waitUntil(holdBeyondItsTime, DEADLINE_MS, 'a write beyond its time');
  });
  expect(await readNote()).toBeNull();
});

test('the epoch grows with each change of owner, and with nothing else', async () => {
  const epoch = async () => {
    const [row] = await testDatabase.sql<{ epoch: string }>(
      `select epoch from leaderships where duty = 'repair'`,
    );
    return Number(row?.epoch);
  };
  const [one, other] = [createLeadership(database, 'one'), createLeadership(database, 'other')];
  const lead = async ({ of }: typeof one) => [
    await of('repair').run(async () => undefined),
    await epoch(),
  ];
  expect([await lead(one), await lead(one), await lead(other)]).toEqual([
    [true, 1],
    [true, 1],
    [false, 1],
  ]);
  await one[Symbol.asyncDispose]();
  const isTaken = async () => (await lead(other))[0] === true;
  await waitUntil(isTaken, DEADLINE_MS, 'the other to lead');
  expect([await lead(other), await lead(one)]).toEqual([
    [true, 2],
    [false, 2],
  ]);
  expect(await readLeader(database.query, 'repair')).toEqual({ owner: 'other' });
});

test('a run that lasts is renewed meanwhile', async () => {
  const lead = leadOf('one');
  await lead.run(async () => {
    await expire();
    const leader = async () => (await readLeader(database.query, 'repair'))?.owner;
    expect(await waitUntil(leader, DEADLINE_MS, 'the lead to be renewed')).toBe('one');
  });
});

test('two processes hold a lease each where there are two, and one holds both where there is one', async () => {
  const [one, other] = [createLeadership(database, 'one'), createLeadership(database, 'other')];
  const ask = async (leadership: typeof one) => {
    const run = (lease: Lease) => leadership.of(lease).run(async () => undefined);
    return [await run('repair'), await run('care')];
  };
  expect(await ask(one)).toEqual([true, true]);
  const isShared = async () => {
    const [ofOne, ofOther] = [await ask(one), await ask(other)];
    return ofOne[0] === true && ofOne[1] === false && ofOther[0] === false && ofOther[1] === true;
  };
  await waitUntil(isShared, DEADLINE_MS, 'each to hold one');
  await other[Symbol.asyncDispose]();
  const isAlone = async () => (await ask(one)).every(Boolean);
  await waitUntil(isAlone, DEADLINE_MS, 'the one that is left to hold both');
});

test('one that fails gives way to others, and nothing is led outside of a run', async () => {
  const [lead, other] = [leadOf('one'), leadOf('other')];
  await expect(lead.run(() => Promise.reject(new Error('no Redis')))).rejects.toThrow('no Redis');
  await expect(note(lead, 'late')).rejects.toThrow();
  expect(await other.run(() => note(other, 'of other'))).toBe(true);
});

/** Each duty has been done or is under way, and none of them failed; a clean stop leaves nothing led. */
test('a worker with the fewest connections there may be fails in no duty', async () => {
  await using rig = await createWorkerRig();
  await using worker = rig.spawnWorker({
    RISK_DATABASE_CONNECTIONS_MAX: '2',
    // A long deadline for a slow machine: a duty that waits for another one would wait for ever.
    RISK_CONNECT_TIMEOUT_MS: '20000',
    LOG_LEVEL: 'warn',
  });
  const isLed = async () => {
    const led = await rig.database.sql(
      "select from leaderships where epoch > 0 and duty <> 'standby'",
    );
    return led.length === LEASES.length;
  };
  await waitUntil(isLed, DEADLINE_MS, 'all duties to be led');
  worker.kill('SIGTERM');
  expect((await worker.exited).code).toBe(0);
  expect(worker.stdout() + worker.stderr()).not.toContain('duty failed');
  expect(await rig.database.sql('select from leaderships where expires_at > now()')).toEqual([]);
});
