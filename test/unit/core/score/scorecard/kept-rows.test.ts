/** Goal: the rows of a day are chosen by margins and ids alone. Method: made days, and the same rules by sorting. */
import murmurhash from 'murmurhash';
import { expect, test } from 'vitest';
import {
  CUT_PAYMENTS,
  collectRows,
  hashOf,
  leastHashes,
} from '../../../../../src/core/score/scorecard/kept-rows.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { uuidOf, uuidsIn } from '../../../../../src/kit/words/cursor.ts';

const random = createRandom('kept');

const newId = () =>
  uuidOf(Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join(''));

function chosen(day: readonly (readonly [id: string, margin: number])[]) {
  const rows = collectRows();
  for (const [id, margin] of day) rows.add(id, margin);
  const { least, ...kept } = rows.end();
  return { ...kept, least: uuidsIn(least) };
}

const dayOf = (margins: readonly number[]) => margins.map((margin) => [newId(), margin] as const);
const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');
const byHash = (ids: readonly string[]) =>
  ids
    .map((id) => ({ id, hash: hashOf(bytesOf(id), 0) }))
    .sort((left, right) => left.hash - right.hash || (left.id < right.id ? -1 : 1))
    .map(({ id }) => id);

test('the hash is MurmurHash3 of the 16 bytes', () => {
  for (const id of [newId(), newId(), newId()]) {
    expect(hashOf(bytesOf(id), 0)).toBe(murmurhash.v3(bytesOf(id), 0));
  }
});

test('two of a hundred are hard, at most 400, and 200 of the others are the sample', () => {
  for (const [payments, hard] of [
    [1000, 20],
    [30_000, 400],
  ] as const) {
    const day = dayOf(Array.from({ length: payments }, () => random()));
    const kept = chosen(day);
    const worst = day.toSorted(([, left], [, right]) => right - left).slice(0, hard);
    expect(kept.hard).toEqual(worst.map(([id]) => id));
    const ids = byHash(day.map(([id]) => id));
    expect(kept.sample).toEqual(ids.filter((id) => !kept.hard.includes(id)).slice(0, 200));
    expect(kept.share).toBe(200 / (payments - hard));
    expect(kept.least).toEqual(ids.slice(0, CUT_PAYMENTS));
    expect(chosen(day.toReversed())).toEqual(kept);
  }
});

test('margins that tie with the first rank that is not hard stay out', () => {
  const day = dayOf(Array.from({ length: 1000 }, (_, row) => (row < 7 ? 2 : 1)));
  expect(chosen(day).hard.toSorted()).toEqual(
    day
      .slice(0, 7)
      .map(([id]) => id)
      .toSorted(),
  );
  expect(chosen(dayOf(Array.from({ length: 1000 }, () => 1))).hard).toEqual([]);
});

test('a small day is kept whole, and an empty one is none', () => {
  const day = dayOf([3, 1, 2]);
  const ids = byHash(day.map(([id]) => id));
  expect(chosen(day)).toEqual({ hard: [], sample: ids, share: 1, least: ids });
  expect(chosen([])).toEqual({ hard: [], sample: [], share: 1, least: [] });
});

test('of equal hashes the least id comes first', () => {
  const ids = ['00000000-a768-3cfc-0000-000000018fbc', '00000000-db5e-0ae3-0000-000000021ed3'];
  const hashes = ids.map((id) => hashOf(bytesOf(id), 0));
  expect(hashes[0]).toBe(hashes[1]);
  for (const order of [ids, ids.toReversed()]) {
    const least = leastHashes(1);
    for (const id of order) least.add(id);
    expect(uuidsIn(least.end())).toEqual(ids.slice(0, 1));
  }
});
