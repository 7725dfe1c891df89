/** The Postgres that answers a read. The databases here are only names and are never queried. */
import { expect, test } from 'vitest';
import type { Database } from '../../../../../src/kit/database/pool.ts';
import { RECENT_MS, readFrom } from '../../../../../src/kit/database/replica/choose-database.ts';

const named = () => ({}) as Database;
const [primary, database] = [named(), named()];
const NOW = 10 * RECENT_MS;
const AGE_MS = 700;

function replicaOf(ageMs: number | undefined = AGE_MS) {
  const noted: unknown[] = [];
  const databases = {
    ...{ primary, replica: { database, ageMs: () => ageMs }, now: () => NOW },
    countRead: (...by: unknown[]) => noted.push(by.join(': ')),
    noteAge: (age: number) => noted.push(age),
  };
  return { databases, noted };
}
const ask = async (asked: Database, asOfMs: number) => ({ asked, asOfMs });

test('reads that spare the primary take recent data from the replica, as long as it may be read', async () => {
  const { databases, noted } = replicaOf();
  const sparing = { ...databases, isSparing: true };
  expect(await readFrom(sparing, NOW, ask)).toMatchObject({ asked: database });
  const behind = { ...sparing, replica: { ...databases.replica, ageMs: () => undefined } };
  expect(await readFrom(behind, NOW, ask)).toMatchObject({ asked: primary });
  const preferring = { ...sparing, isPrimaryAlone: true };
  expect(await readFrom(preferring, NOW, ask)).toMatchObject({ asked: primary });
  expect(noted).toEqual(['replica: in_step', AGE_MS, 'primary: behind', 'primary: preferred']);
});

test('an answer is as old as it is once it has been read', async () => {
  const { databases, noted } = replicaOf();
  let nowMs = NOW;
  const slow = async () => {
    nowMs += 5000;
  };
  await readFrom({ ...databases, now: () => nowMs }, 0, slow);
  expect(noted).toEqual(['replica: in_step', AGE_MS + 5000]);
});

test('what is wrong with the read itself is not asked twice', async () => {
  const { databases } = replicaOf();
  const wrong = async (asked: Database) => {
    throw new TypeError(asked === database ? 'once' : 'twice');
  };
  await expect(readFrom(databases, 0, wrong)).rejects.toThrow('once');
});
