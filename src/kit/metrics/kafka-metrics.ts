/** Metrics of corridors that use Kafka; a part of metrics.ts. */
import type { MakeMetrics } from './make-metrics.ts';

export function createKafkaMetrics(gauge: MakeMetrics['gauge']) {
  return {
    kafkaLag: gauge(
      'risk_kafka_lag_transactions',
      'Transactions in Kafka that workers have not done; an estimate in a long backlog.',
      ['corridor'],
    ),
    kafkaRetries: gauge(
      'risk_kafka_retry_records',
      'Records of retries above the offset of the group.',
      ['corridor'],
    ),
    kafkaDeadLetters: gauge('risk_kafka_dead_letter_records', 'Records of dead letters.', [
      'corridor',
    ]),
    kafkaTrimmed: gauge(
      'risk_kafka_trimmed_partitions',
      'Partitions of which retention removed entries that workers had not done.',
      ['corridor'],
    ),
  };
}
