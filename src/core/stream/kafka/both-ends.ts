/**
 * The end of entries of streams whose corridors publish in Kafka. The events go to Kafka first; where Kafka does not take them,
 * they are in Redis alone, so that a broker that is gone stops no stream.
 */
import type { CorridorLog } from '../../domain/corridor.ts';
import { createCoolDown } from '../entries/producer.ts';
import type { Settle } from '../settle/settle.ts';
import type { KafkaClients } from './clients.ts';
import { toScoredRecords } from './scored-events.ts';
import { topicsOf } from './topics.ts';

type Parts = {
  readonly clients: Pick<KafkaClients, 'send'>;
  readonly market: string;
  readonly logOf: (corridor: string) => CorridorLog;
  readonly elapsedMs: () => number;
  /** Null where a call is skipped. */
  readonly onMissed: (failure: unknown) => void;
};

export function publishingOnKafka(
  onStreams: Settle,
  { clients, market, logOf, elapsedMs, onMissed }: Parts,
): Settle {
  const unlessCooling = createCoolDown(onMissed, elapsedMs);
  return async (settlements) => {
    const onKafka = settlements.filter(({ stream }) => logOf(stream.corridor) !== 'streams');
    if (onKafka.length === 0) return await onStreams(settlements);
    const denied = await unlessCooling(() => clients.send(toScoredRecords(market, onKafka)));
    for (const failure of denied?.values() ?? []) if (failure !== null) onMissed(failure);
    const isPublished = (corridor: string) =>
      denied !== undefined && !denied.has(topicsOf(market, corridor).scored);
    return await onStreams(
      settlements.map((settlement) => {
        const { corridor } = settlement.stream;
        if (logOf(corridor) !== 'kafka' || !isPublished(corridor)) return settlement;
        // The same settlement without events.
        return { ...settlement, ended: settlement.ended.map((end) => ({ ...end, scores: [] })) };
      }),
    );
  };
}
