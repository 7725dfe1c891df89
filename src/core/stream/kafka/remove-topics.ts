/** Removes what a market has in Kafka: its topics, and the consumer group of its workers. */
import { Failure } from '../../../kit/words/failure.ts';
import { type KafkaClients, within } from './clients.ts';
import { groupOf, topicsOf } from './topics.ts';

const CORRIDOR = /^[^.]+\.([A-Z]{2}-[A-Z]{2})\./;

/** The topics of a market among others. */
export function topicsOfMarket(market: string, topics: readonly string[]): string[] {
  return topics.filter((topic) => {
    const [, corridor = ''] = CORRIDOR.exec(topic) ?? [];
    return Object.values(topicsOf(market, corridor)).includes(topic);
  });
}

/**
 * Removes both. Groups of other readers of the events stay.
 * @returns how many topics there were
 * @throws Failure where workers of the market are in the group
 */
export async function removeTopics(
  clients: Pick<KafkaClients, 'administer'>,
  market: string,
): Promise<number> {
  return await clients.administer(async (admin) => {
    const group = groupOf(market);
    if ((await within(admin.listGroups())).has(group)) {
      const { members } =
        (await within(admin.describeGroups({ groups: [group] }))).get(group) ?? {};
      if (members !== undefined && members.size > 0) {
        const why = `${members.size} members of the group ${group} read Kafka: end the workers of ${market}, then --continue`;
        throw new Failure('conflict', 'KAFKA_IN_USE', why);
      }
      await within(admin.deleteGroups({ groups: [group] }));
    }
    const topics = topicsOfMarket(market, await within(admin.listTopics()));
    if (topics.length > 0) await within(admin.deleteTopics({ topics }));
    return topics.length;
  });
}
