/** Goal: the rows of a day are chosen by margins and ids alone. Method: made days, and the same rules by sorting. */
import murmurhash from 'murmurhash';
import { expect, test } from 'vitest';
import {
  chooseRows,
  createIds,
  leastHashes,
  writeId,
} from '../../../../../src/core/score/scorecard/kept-rows.ts';
import { createRandom } from '../../../../../src/kit/random.ts';

const random = createRandom('kept');

function newId(): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function dayOf(margins: readonly number[], frauds: readonly number[] = []) {
  const texts = margins.map(newId);
  const ids = createIds(margins.length);
  texts.forEach((id, index) => void writeId(ids, index, id));
  const isFraud = Uint8Array.from(margins, (_, row) => (frauds.includes(row) ? 1 : 0));
  return { texts, rows: { ids, margins: Float64Array.from(margins), isFraud } };
}

const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');

test('the hash is MurmurHash3 of the 16 bytes', () => {
  const { texts, rows } = dayOf([0, 0, 0, 0, 0]);
  expect([...rows.ids.hashes]).toEqual(texts.map((id) => murmurhash.v3(bytesOf(id), 0)));
});

test('two of a hundred are hard, at most 400, and 200 of the others are the sample', () => {
  for (const [payments, hard] of [
    [1000, 20],
    [30_000, 400],
  ] as const) {
    const { rows } = dayOf(Array.from({ length: payments }, () => random()));
    const kept = chooseRows(rows);
    const greatest = rows.margins.slice().sort().at(-hard) ?? 0;
    expect(kept.hard).toHaveLength(hard);
    expect(kept.hard.every((row) => (rows.margins[row] ?? 0) >= greatest)).toBe(true);
    expect(kept.sample).toHaveLength(200);
    expect(kept.share).toBe(200 / (payments - hard));
    const chosen = new Set(kept.hard);
    const others = [...rows.margins.keys()].filter((row) => !chosen.has(row));
    const byHash = others.toSorted((a, b) => (rows.ids.hashes[a] ?? 0) - (rows.ids.hashes[b] ?? 0));
    expect(kept.sample).toEqual(byHash.slice(0, 200).sort((a, b) => a - b));
  }
});

test('margins that tie with the first rank that is not hard stay out', () => {
  const margins = Array.from({ length: 1000 }, (_, row) => (row < 7 ? 2 : 1));
  expect(chooseRows(dayOf(margins).rows).hard).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(chooseRows(dayOf(margins.map(() => 1)).rows).hard).toEqual([]);
});

test('a small day is kept whole, and an empty one is none', () => {
  const { rows } = dayOf([3, 1, 2], [1]);
  expect(chooseRows(rows)).toEqual({ frauds: [1], hard: [], sample: [0, 2], share: 1 });
  expect(chooseRows(dayOf([]).rows)).toEqual({ frauds: [], hard: [], sample: [], share: 1 });
});

test('a known fraud is neither hard nor in the sample', () => {
  const margins = Array.from({ length: 500 }, (_, row) => row);
  const kept = chooseRows(dayOf(margins, [3, 499]).rows);
  expect(kept.frauds).toEqual([3, 499]);
  expect(kept.hard).toEqual([490, 491, 492, 493, 494, 495, 496, 497, 498]);
  expect(kept.sample).not.toContain(3);
  expect(kept.share).toBe(200 / (500 - 2 - 9));
});

test('of equal hashes the least ids are taken', () => {
  const ids = {
    words: Uint32Array.of(0, 9, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0),
    hashes: Uint32Array.of(5, 5, 1),
  };
  expect(leastHashes(ids, [0, 1, 2], 2)).toEqual([1, 2]);
  expect(leastHashes(ids, [0, 1, 2], 0)).toEqual([]);
});
