/**
 * Gives each partition to one of the members that ask for its topic, in turn. The assigner of the package gives the topics of the
 * leader to all members, and those that the leader does not read to none: workers may be pinned to corridors. Pure.
 */
import type { ClusterMetadata, GroupPartitionsAssigner } from '@platformatic/kafka';

type Members = Parameters<GroupPartitionsAssigner>[1];

export function assignPartitions(
  members: Members,
  { topics }: { readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }> },
): ReturnType<GroupPartitionsAssigner> {
  const assigned = Array.from(members, ([memberId, { topics: asked = [] }]) => ({
    ...{ memberId, asked: new Set(asked) },
    assignments: new Map<string, { topic: string; partitions: number[] }>(),
  }));
  let turn = 0;
  for (const [topic, { partitionsCount }] of topics) {
    const readers = assigned.filter(({ asked }) => asked.has(topic));
    for (let partition = 0; partition < partitionsCount; partition += 1) {
      const reader = readers[turn % readers.length];
      if (reader === undefined) break;
      turn += 1;
      const own = reader.assignments.get(topic) ?? { topic, partitions: [] };
      own.partitions.push(partition);
      reader.assignments.set(topic, own);
    }
  }
  return assigned.map(({ memberId, assignments }) => ({ memberId, assignments }));
}

/** As the package calls it. */
export const partitionAssigner: GroupPartitionsAssigner = (
  _leader,
  members,
  _topicsOfLeader,
  metadata: ClusterMetadata,
) => assignPartitions(members, metadata);
