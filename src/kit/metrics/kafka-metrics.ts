/** Metrics of corridors that use Kafka; a part of metrics.ts. */
import type { MakeMetrics } from './make-metrics.ts';

export function createKafkaMetrics(gauge: MakeMetrics['gauge']) {
  return {
    kafkaLag: gauge(
      'risk_kafka_lag_transactions',
      'Transactions in Kafka that workers have not done; an estimate in a long backlog.',
      ['corridor'],
    ),
    kafkaTrimmed: gauge(
      'risk_kafka_trimmed_partitions',
      'Partitions of which retention removed entries that workers had not done.',
      ['corridor'],
    ),
  };
}
