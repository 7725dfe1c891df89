/**
 * The end of entries of streams whose corridors publish in Kafka. The events go to Kafka first; where Kafka does not take them,
 * they are in Redis alone, so that a broker that is gone stops no stream.
 */

import { isUnavailable } from '../../../kit/words/failure.ts';
import type { CorridorLog } from '../../domain/switch.ts';
import type { Settle, Settlement } from '../settle/settle.ts';
import type { KafkaClients } from './clients.ts';
import { toScoredRecords } from './scored-events.ts';

/** For so long after a failure nobody tries: batches of all corridors would wait for a broker that is gone. */
const COOL_DOWN_MS = 1000;

type Parts = {
  readonly clients: Pick<KafkaClients, 'send'>;
  readonly market: string;
  readonly logOf: (corridor: string) => CorridorLog;
  readonly elapsedMs: () => number;
  readonly onFailure: (error: unknown) => void;
};

export function publishingOnKafka(
  onStreams: Settle,
  { clients, market, logOf, elapsedMs, onFailure }: Parts,
): Settle {
  let retryAtMs = Number.NEGATIVE_INFINITY;
  const publish = async (settlements: readonly Settlement[]): Promise<boolean> => {
    if (elapsedMs() < retryAtMs) return false;
    try {
      await clients.send(toScoredRecords(market, settlements));
      return true;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      retryAtMs = elapsedMs() + COOL_DOWN_MS;
      onFailure(error);
      return false;
    }
  };
  return async (settlements) => {
    const onKafka = settlements.filter(({ stream }) => logOf(stream.corridor) !== 'streams');
    if (onKafka.length === 0) return await onStreams(settlements);
    const isPublished = await publish(onKafka);
    return await onStreams(
      settlements.map((settlement) =>
        isPublished && logOf(settlement.stream.corridor) === 'kafka'
          ? unpublished(settlement)
          : settlement,
      ),
    );
  };
}

/** The same settlement without events. */
function unpublished(settlement: Settlement): Settlement {
  return { ...settlement, ended: settlement.ended.map((end) => ({ ...end, scores: [] })) };
}
