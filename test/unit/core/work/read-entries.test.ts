/** Goal: a batch that holds a transaction several times works on it once. Method: random repetitions against a Set. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryTransaction } from '../../../../src/core/work/decided.ts';
import { splitRepeated } from '../../../../src/core/work/read-entries.ts';
import { entryOf, transactionsOf } from './delivered-entries.ts';

const all = transactionsOf(entryOf('0-0', 100));

test('repeated deliveries are found, wherever they stand', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(all.length - 1), { maxLength: 200 }), (picked) => {
      const batch = picked.map(
        (index): EntryTransaction => ({ ...(all[index] as EntryTransaction) }),
      );
      const { firsts, repeated } = splitRepeated(batch);
      const seen = new Set<string>();
      const expected = batch.filter(({ transaction }) => {
        const isFirst = !seen.has(transaction.transactionId);
        seen.add(transaction.transactionId);
        return isFirst;
      });
      expect(firsts).toEqual(expected);
      expect(repeated).toEqual(batch.filter((one) => !expected.includes(one)));
    }),
  );
});
