/** Reads what brokers say of topics: for `risk doctor`. */

import { DAY_MS } from '../../../kit/words/range.ts';
import { type KafkaClients, within } from './clients.ts';
import { PARTITIONS, type Topics, topicsOf } from './topics.ts';

/** As the protocol numbers them. */
const TOPIC_RESOURCE = 2 as const;
const SETTINGS = ['retention.ms', 'cleanup.policy'];

type KafkaFacts = Awaited<ReturnType<typeof readTopicFacts>>;

/** Facts of the topics that are there. Throws a Failure. */
export async function readTopicFacts(
  clients: Pick<KafkaClients, 'administer'>,
  market: string,
  corridors: readonly string[],
) {
  return await clients.administer(async (admin) => {
    const known = new Set(await within(admin.listTopics()));
    const wanted = corridors.flatMap((corridor) => Object.values(topicsOf(market, corridor)));
    const topics = wanted.filter((topic) => known.has(topic));
    const { brokers, topics: found } = await within(admin.metadata({ topics }));
    const resources = topics.map((resourceName) => ({
      resourceType: TOPIC_RESOURCE,
      resourceName,
      configurationKeys: SETTINGS,
    }));
    const described =
      resources.length === 0 ? [] : await within(admin.describeConfigs({ resources }));
    const settings = new Map(
      described.map(({ resourceName, configs }) => [
        resourceName,
        new Map(configs.map(({ name, value }) => [name, value])),
      ]),
    );
    return {
      brokers: brokers.size,
      topics: topics.map((topic) => {
        const partitions = found.get(topic)?.partitions ?? [];
        return {
          topic,
          partitions: partitions.length,
          /** Copies of the partition that has the fewest. */
          replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
          /** -1: for good. */
          retentionMs: Number(settings.get(topic)?.get('retention.ms') ?? -1),
          cleanupPolicy: settings.get(topic)?.get('cleanup.policy') ?? '',
        };
      }),
    };
  });
}

/** Says what is wrong with the topics of a corridor; `isLost` where entries would be lost or in no order. */
export function findTopicProblems(
  { brokers, topics }: KafkaFacts,
  wanted: Topics,
): { readonly isLost: boolean; readonly text: string }[] {
  return Object.values(wanted).flatMap((name) => {
    const fact = topics.find(({ topic }) => topic === name);
    if (fact === undefined) return { isLost: true, text: `${name} is missing` };
    const { partitions, replicas, retentionMs, cleanupPolicy } = fact;
    const problems = [];
    if (partitions !== PARTITIONS) {
      problems.push({
        isLost: true,
        text: `${name} has ${partitions} partitions, not ${PARTITIONS}`,
      });
    }
    if (cleanupPolicy !== 'delete') {
      const text = `${name} has cleanup.policy ${cleanupPolicy}, not delete: records of a shard have one key`;
      problems.push({ isLost: true, text });
    }
    if (retentionMs >= 0 && retentionMs < DAY_MS) {
      const text = `${name} keeps records for ${retentionMs / 1000} s, less than a day`;
      problems.push({ isLost: false, text });
    }
    if (replicas < 2 && brokers > 1) {
      problems.push({ isLost: false, text: `${name} has partitions of one copy` });
    }
    return problems;
  });
}
