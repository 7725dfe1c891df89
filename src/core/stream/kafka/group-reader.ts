/** Reads entries as a member of the market's consumer group. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterMetadata, GroupPartitionsAssigner } from '@platformatic/kafka';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { StreamEntry } from '../group/read-group.ts';
import {
  assignClaims,
  type Claims,
  createCountTries,
  createNoteRead,
  type EndedOffset,
  readDelivered,
} from './claims.ts';
import {
  closeSoon,
  hasAnswer,
  type KafkaClients,
  SESSION_MS,
  throwKafkaFailure,
} from './clients.ts';
import { openFetcher } from './fetch-records.ts';
import { groupOf, topicsOf } from './topics.ts';

/** How long a read waits where nothing is assigned to this member. */
const IDLE_MS = 100;
/** Time without a heartbeat after which the group has surely given the partitions away. */
const QUIET_MS_MAX = 20_000;
/** Code of the Failure after which only another reader helps. */
export const MEMBER_LOST = 'KAFKA_MEMBER_LOST';

export type GroupReader = Awaited<ReturnType<typeof openGroupReader>>;

type Members = Parameters<GroupPartitionsAssigner>[1];

/** Joins the group. Throws a Failure. */
export async function openGroupReader(
  clients: KafkaClients,
  market: string,
  corridors: readonly string[],
  redis: RedisClient,
  nowMs: () => number,
) {
  const [countTries, noteRead] = [createCountTries(redis, market), createNoteRead(redis, market)];
  const readNotes = () => readDelivered(redis, market);
  const topics = new Map<string, { readonly corridor: string; readonly isRetry: boolean }>();
  for (const corridor of corridors) {
    const { transactions, retries } = topicsOf(market, corridor);
    topics.set(transactions, { corridor, isRetry: false });
    topics.set(retries, { corridor, isRetry: true });
  }
  await using opened = new AsyncDisposableStack();
  const member = await clients.openConsumer(groupOf(market));
  opened.defer(async () => void (await closeSoon(member)));
  // Another connection, as a broker answers one request after the other, and a fetch waits for entries.
  const fetcher = opened.use(await openFetcher(clients, groupOf(market)));
  /** Undefined where the group has assigned partitions anew. */
  let claims: Claims | undefined;
  let [isLost, assignments, joinedMs] = [false, 0, Date.now()];
  const quietMs = () => Date.now() - Math.max(joinedMs, member.lastHeartbeat?.getTime() ?? 0);
  const release = async () => {
    const given = claims;
    claims = undefined;
    assignments += 1;
    await given?.release();
  };
  const assign = async () => {
    const before = assignments;
    const fresh = await assignClaims(member, market, topics, countTries, readNotes, nowMs);
    if (before === assignments) claims = fresh;
    // The group has assigned others meanwhile.
    else await fresh.release();
    return claims;
  };
  member.on('consumer:group:join', () => {
    joinedMs = Date.now();
    void release();
  });
  // The client has given up joining again.
  member.on('error', () => {
    isLost = true;
  });
  for (const topic of topics.keys()) member.topics.track(topic);
  await member.joinGroup({ partitionAssigner }).catch(throwKafkaFailure);
  const owned = opened.move();
  /** Commits the entries that are done by now, even while an earlier commit is under way. */
  const flush = async () => claims?.commit();
  return {
    /** Entries that are there, or come within half a second. Throws a Failure. */
    async read(): Promise<StreamEntry[]> {
      if (isLost || quietMs() > QUIET_MS_MAX) {
        throw new Failure('unavailable', MEMBER_LOST, 'this worker is no member of the group');
      }
      if (quietMs() > SESSION_MS) return await sleep(IDLE_MS, []);
      const own = claims ?? (await assign());
      if (own === undefined) return [];
      await flush();
      const due = own.takeDue();
      const positions = own.positions();
      if (due.length > 0) return due;
      if (positions.length === 0) {
        await sleep(IDLE_MS);
        return own.takeDue();
      }
      try {
        const fetched = own.take(await fetcher.fetch(positions));
        void noteRead(own.delivered, fetched.length > 0);
        return [...own.takeDue(), ...fetched];
      } catch (error) {
        // Retention has removed what stood at a position.
        if (hasAnswer(error, 'OFFSET_OUT_OF_RANGE')) await release();
        throw error;
      }
    },
    /** Notes entries whose scores, dead letters or next attempts are stored; that stays true when another worker has their partition. */
    done: (entries: readonly EndedOffset[]) => claims?.done(entries),
    /** Whether this worker may begin the entries that it read: after a session without a heartbeat another worker has their partitions. */
    isOwn: (): boolean => claims !== undefined && quietMs() <= SESSION_MS,
    /** Whether an entry is worked on alone. */
    isAlone: (entry: StreamEntry): boolean => claims?.isAlone(entry) ?? false,
    /** Entries that were handed out and are not done. */
    openEntries: (): number => claims?.openEntries() ?? 0,
    /** Begins again at the offsets that the group has. */
    restart: release,
    /** Commits what is done. Throws a Failure. */
    flush,
    /** Leaves the group, so that others get the partitions at once. */
    async [Symbol.asyncDispose](): Promise<void> {
      if (claims !== undefined) await noteRead(claims.delivered, true);
      await release();
      await owned.disposeAsync();
    },
  };
}

/**
 * Gives each partition to one of the members that ask for its topic, in turn. The assigner of the package gives the topics of the
 * leader to all members, and those that the leader does not read to none: workers may be pinned to corridors. Pure.
 */
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
const partitionAssigner: GroupPartitionsAssigner = (
  _leader,
  members,
  _topicsOfLeader,
  metadata: ClusterMetadata,
) => assignPartitions(members, metadata);
