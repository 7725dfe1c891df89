/**
 * Profiles of interrupted requests are invalidated, oldest first, and the reported age is that of the oldest
 * one left.
 */
import { expect, test } from 'vitest';
import { finishLabelBatches } from '../../../../src/core/repair/finish-label-batches.ts';
import type { LabelBatch } from '../../../../src/core/store/labels/label-batches.ts';

const OLDEST_MS = 100_000;
const BATCH_AGE_MS = 5000;
const running = new AbortController().signal;

function createDuty(batches: number) {
  const left: LabelBatch[] = Array.from({ length: batches }, (_, index) => ({
    batchId: `b${index}`,
    ageMs: OLDEST_MS - index * 1000,
    transactionIds: [`t${index}`],
  }));
  const told: string[] = [];
  const ages: number[] = [];
  const steps = {
    listLabelBatches: async (agedMs: number) =>
      left.filter(({ ageMs }) => ageMs > agedMs).slice(0, 20),
    deleteLabelBatches: async (batchIds: readonly string[]) => {
      for (const batchId of batchIds) {
        left.splice(
          left.findIndex((batch) => batch.batchId === batchId),
          1,
        );
      }
    },
    invalidateLabelled: async (ids: readonly string[]) => void told.push(...ids),
  };
  const reportAge = (ageMs: number) => void ages.push(ageMs);
  const tell = (invalidateLabelled = steps.invalidateLabelled) =>
    finishLabelBatches({ ...steps, invalidateLabelled }, BATCH_AGE_MS, reportAge, running);
  return { tell, left, told, ages };
}

test('all are told over any number of pages, and none is left to be reported', async () => {
  const { tell, left, told, ages } = createDuty(45);
  expect(await tell()).toBe(45);
  expect(told).toEqual(Array.from({ length: 45 }, (_, index) => `t${index}`));
  expect(left).toEqual([]);
  expect(ages).toEqual([OLDEST_MS, OLDEST_MS - 20_000, OLDEST_MS - 40_000, 0]);
  expect(await tell()).toBe(0);
  expect(ages.at(-1)).toBe(0);
});

test('the age of one that cannot be told stays reported', async () => {
  const { tell, left, ages } = createDuty(2);
  const away = async () => {
    throw new Error('away');
  };
  await expect(tell(away)).rejects.toThrow('away');
  expect([left.length, ages]).toEqual([2, [OLDEST_MS]]);
});
