/** Goal: no count is lost by a write that fails. Method: sums that are added to while a write fails. */
import { expect, test } from 'vitest';
import { createSums } from '../../../../src/core/work/sums.ts';

type Sum = { readonly of: string; n: number };

function open() {
  const sums = createSums<Sum>(
    (subject, corridor) => ({ of: `${subject} in ${corridor}`, n: 0 }),
    (sum, later) => {
      sum.n += later.n;
    },
  );
  const count = (subject: string, n: number) => {
    sums.of(subject, 'US-EG').n += n;
  };
  return { ...sums, count };
}
const read = async (text: string) => JSON.parse(text);

test('sums of a write that failed go with the next one, with what came meanwhile', async () => {
  const { write, count } = open();
  count('a', 1);
  const failed = write(async () => {
    count('a', 10);
    count('b', 20);
    throw new Error('Postgres is away');
  });
  await expect(failed).rejects.toThrow('away');
  expect(await write(read)).toEqual([
    { of: 'a in US-EG', n: 11 },
    { of: 'b in US-EG', n: 20 },
  ]);
});
