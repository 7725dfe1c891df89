/** Goal: each partition has one worker that reads its topic, and workers of the same topics have about as many. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignPartitions } from '../../../../../src/core/stream/kafka/group-reader.ts';

const TOPICS = ['a', 'b', 'c', 'd'];
const PARTITIONS = 16;
const metadata = { topics: new Map(TOPICS.map((one) => [one, { partitionsCount: PARTITIONS }])) };

function assign(asked: readonly (readonly string[])[]) {
  const members = new Map(
    asked.map((topics, at) => [`m${at}`, { memberId: `m${at}`, version: 1, topics: [...topics] }]),
  );
  return assignPartitions(members, metadata).map(({ assignments }) =>
    [...assignments.values()].flatMap(({ topic, partitions }) =>
      partitions.map((partition) => `${topic}/${partition}`),
    ),
  );
}

test('a partition goes to one member of those that ask for its topic', () => {
  const asked = fc.array(fc.subarray(TOPICS), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(asked, (given) => {
      const assigned = assign(given);
      const wanted = TOPICS.filter((topic) => given.some((own) => own.includes(topic)));
      const all = assigned.flat();
      expect(all).toHaveLength(wanted.length * PARTITIONS);
      expect(new Set(all).size).toBe(all.length);
      for (const [at, own] of assigned.entries()) {
        expect(own.filter((one) => !given[at]?.includes(one[0] ?? ''))).toEqual([]);
      }
    }),
  );
});

test('members that ask for the same share it equally', () => {
  const counts = assign([TOPICS, TOPICS, TOPICS]).map((own) => own.length);
  expect(counts.toSorted()).toEqual([21, 21, 22]);
});
