/** Goal: labels that profiles lack are seen by their age while profiles cannot be told. Method: a step that fails once. */
import { expect, test } from 'vitest';
import { finishLabelBatches } from '../../../../src/core/repair/label-duty.ts';

test('the age of a batch is reported while its profiles cannot be told, and 0 once they are', async () => {
  const left = [{ batchId: 'b', ageMs: 5000, transactionIds: ['t'] }];
  const ages: number[] = [];
  let isAway = true;
  const steps = {
    listLabelBatches: async () => [...left],
    deleteLabelBatches: async () => void left.pop(),
    invalidateLabelled: async () => {
      if (isAway) throw new Error('away');
    },
  };
  const finish = () =>
    finishLabelBatches(steps, 0, (ageMs) => ages.push(ageMs), new AbortController().signal);
  await expect(finish()).rejects.toThrow('away');
  isAway = false;
  expect(await finish()).toBe(1);
  expect(ages).toEqual([5000, 5000, 0]);
});
