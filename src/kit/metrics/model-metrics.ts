/** Metrics of models and of the watch over them; a part of metrics.ts. */
import { HTTP_BUCKETS_SECONDS, type MakeMetrics } from './make-metrics.ts';

export function createModelMetrics({ counter, gauge, histogram }: MakeMetrics) {
  return {
    modelInForce: gauge(
      'risk_model_in_force',
      '1 for what models do in this worker, by corridor.',
      ['corridor', 'model', 'role'],
    ),
    modelScored: counter('risk_model_scored_total', 'Transactions judged by a model.', [
      'corridor',
      'model',
      'role',
    ]),
    modelErrors: counter('risk_model_errors_total', 'Calls of a model that failed.', [
      'corridor',
      'model',
    ]),
    modelDuration: histogram(
      'risk_model_duration_seconds',
      'Duration of one call of a model, for the rows of a batch.',
      HTTP_BUCKETS_SECONDS,
      ['model'],
    ),
    modelRollbacks: counter('risk_model_rollbacks_total', 'Models that the engine rolled back.', [
      'corridor',
      'model',
    ]),
    inferenceRefused: counter(
      'risk_inference_refused_total',
      'Transactions for which a model was not asked, as a limit of inference was used up.',
      ['corridor', 'role'],
    ),
    modelChecksFailed: counter(
      'risk_model_checks_failed_total',
      'Models that this process refused, as hash, features or golden vectors differ.',
    ),
  };
}

/** The watch compares what models do with what they were trained on. */
export function createWatchMetrics({ gauge }: MakeMetrics) {
  return {
    watchedAt: gauge(
      'risk_model_watched_timestamp_seconds',
      'Time of the last watch over models that this worker knows of, or of its start.',
    ),
    watchInterval: gauge(
      'risk_model_watch_interval_seconds',
      'Interval of the watch over models, `RISK_WATCH_EVERY_SECONDS`.',
    ),
    watchRows: gauge(
      'risk_model_watch_rows',
      'Sampled scores behind the figures of a model: for drift, or labelled.',
      ['model', 'figures'],
    ),
    modelStability: gauge(
      'risk_model_psi',
      'Population stability index against the training, by feature and of the score; absent where rows are too few.',
      ['model', 'feature'],
    ),
    modelMissing: gauge(
      'risk_model_missing_ratio',
      'Share of missing values of a feature, now or in the reference.',
      ['model', 'feature', 'when'],
    ),
    modelPrecision: gauge(
      'risk_model_precision_ratio',
      'Share of frauds among flagged transactions with a label, by verdict bound.',
      ['model', 'bound'],
    ),
    modelRecall: gauge(
      'risk_model_recall_ratio',
      'Share of the known frauds that were flagged, by verdict bound.',
      ['model', 'bound'],
    ),
    modelFraud: gauge(
      'risk_model_fraud_ratio',
      'Share of frauds among labelled transactions: predicted by the probability, or observed.',
      ['model', 'kind'],
    ),
    modelLabelled: gauge(
      'risk_model_labelled_ratio',
      'Share of transactions of mature age that have a label.',
      ['model'],
    ),
    modelLabelDelay: gauge(
      'risk_model_label_delay_seconds',
      'Time from created_at to labelled_at of those labels.',
      ['model', 'quantile'],
    ),
  };
}
