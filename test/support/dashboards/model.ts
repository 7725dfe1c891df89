/** Models: what they decide, and how far scores and labels have moved from the training. */
import {
  type Dashboard,
  largest,
  lines,
  MARKET,
  ofProcesses,
  one,
  perSecond,
  quantile,
  upTo,
} from './dashboard.ts';

const MODEL = `${MARKET},model=~"$model"`;

export const model: Dashboard = {
  name: 'model',
  title: 'models',
  description:
    'What models decide, how long they take, and how far scores and labels have moved from the training.',
  variables: [ofProcesses('market'), { name: 'model', of: 'risk_model_watch_rows' }],
  rows: [
    {
      title: 'Decisions',
      panels: [
        lines('Judged', 'cps', perSecond('risk_model_scored_total', MODEL, 'model, role')),
        lines('Calls that failed', 'cps', perSecond('risk_model_errors_total', MODEL, 'model')),
        lines(
          'p99 of a call',
          's',
          quantile(0.99, 'risk_model_duration_seconds', MODEL, 'model'),
          upTo(0.1, 0.5),
        ),
        lines(
          'Corridors in which it is in force',
          'none',
          `count by (model, role) (max by (corridor, model, role) (risk_model_in_force{${MODEL}} == 1))`,
        ),
        lines(
          'Breakers of models',
          'none',
          `max by (breaker) (risk_breaker_state{${MARKET},breaker=~"model:.*"})`,
          { note: '2 is open.', ...upTo(1, 2) },
        ),
        lines(
          'Not asked',
          'cps',
          perSecond('risk_inference_refused_total', MARKET, 'corridor, role'),
        ),
        lines(
          'Decisions in which a rule threw',
          'cps',
          perSecond('risk_rule_failures_total', MARKET, 'rule_set, rule'),
        ),
        lines('Rollbacks by the engine', 'cps', [
          {
            expression: perSecond('risk_model_rollbacks_total', MODEL, 'model'),
            legend: '{{model}}',
          },
          {
            expression: perSecond('risk_rule_set_rollbacks_total', MARKET, 'rule_set'),
            legend: '{{rule_set}}',
          },
        ]),
        lines(
          'Batches without opinions of shadows',
          'cps',
          one(perSecond('risk_shadow_batches_lost_total', MARKET), 'batches'),
        ),
      ],
    },
    {
      title: 'Drift',
      panels: [
        lines(
          'Stability index',
          'short',
          `topk(10, ${largest('risk_model_psi', MODEL, 'model, feature')})`,
          upTo(0.1, 0.25),
        ),
        lines(
          'More values missing than in the training',
          'percentunit',
          `topk(10, ${largest('risk_model_missing_ratio', `${MODEL},when="now"`, 'model, feature')} - ${largest('risk_model_missing_ratio', `${MODEL},when="reference"`, 'model, feature')})`,
          upTo(0.05, 0.5),
        ),
        lines(
          'Scores behind the figures',
          'short',
          largest('risk_model_watch_rows', MODEL, 'model, figures'),
        ),
      ],
    },
    {
      title: 'Labels',
      panels: [
        lines(
          'Precision',
          'percentunit',
          largest('risk_model_precision_ratio', MODEL, 'model, bound'),
        ),
        lines('Recall', 'percentunit', largest('risk_model_recall_ratio', MODEL, 'model, bound')),
        lines(
          'Frauds, predicted and seen',
          'percentunit',
          largest('risk_model_fraud_ratio', MODEL, 'model, kind'),
        ),
        lines('Labelled', 'percentunit', largest('risk_model_labelled_ratio', MODEL, 'model')),
        lines(
          'Delay of labels',
          's',
          largest('risk_model_label_delay_seconds', MODEL, 'model, quantile'),
        ),
        lines(
          'Age of the figures',
          's',
          one(`time() - max(risk_model_watched_timestamp_seconds{${MARKET}} > 0)`, 'age'),
          upTo(900, 3600),
        ),
      ],
    },
  ],
};
