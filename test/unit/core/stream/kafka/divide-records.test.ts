/** Goal: records go to brokers in batches that brokers take, all of them once, and in the order of each partition. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BATCH_BYTES_MAX,
  divideRecords,
  type LogRecord,
} from '../../../../../src/core/stream/kafka/divide-records.ts';

const recordOf = (partition: number, bytes: number): LogRecord => ({
  ...{ topic: 't', partition, key: 'k', headers: { h: 'x' } },
  value: Buffer.alloc(bytes),
});
const bytesOf = (records: readonly LogRecord[]) =>
  records.reduce((sum, { value }) => sum + value.length, 0);

test('a batch is below its bound, or one record, and partitions keep their order', () => {
  const one = fc.record({
    partition: fc.nat(3),
    bytes: fc.integer({ min: 1, max: BATCH_BYTES_MAX + 10 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (given) => {
      const records = given.map(({ partition, bytes }) => recordOf(partition, bytes));
      const parts = divideRecords(records);
      for (let partition = 0; partition < 4; partition += 1) {
        const own = (all: readonly LogRecord[]) => all.filter((it) => it.partition === partition);
        expect(parts.flatMap(own)).toEqual(own(records));
        for (const batch of parts.map(own)) {
          expect(batch.length <= 1 || bytesOf(batch) <= BATCH_BYTES_MAX).toBe(true);
        }
      }
    }),
  );
});
