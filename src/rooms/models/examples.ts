/** Examples of models, what they do and how well. */
import type {
  DecidedRolloutsJson,
  ModelDetailJson,
  ModelJson,
  ProposalJson,
} from '../../core/domain/model-record.ts';
import type { ComparisonJson } from './queries/shadow-comparison.ts';
import type { Drift, WatchReport } from './watch-report.ts';

export const MODEL = 'fraud@2026-11-20';
const MODEL_ID = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

export const model: ModelJson = {
  model: MODEL,
  model_id: MODEL_ID,
  format: 'xgboost-json',
  feature_schema: 2,
  features: 81,
  artefact_bytes: 482_113,
  golden_vectors: 64,
  golden_source: 'training',
  created_at: '2026-11-20T08:00:00.000Z',
  created_by: 'risk',
  does: 'active US-EG',
  corridors: [{ corridor: 'US-EG', state: 'active', canary_percent: 0 }],
};

export const modelProposal: ProposalJson = {
  proposal_id: '12',
  corridor: 'US-EG',
  to: 'canary:5',
  proposed_by: 'Ann',
};

export const modelDetail: ModelDetailJson = {
  ...model,
  feature_names: ['amount', 'amount_log'],
  trained: { from: '2026-08-01', to: '2026-10-31', known_by: '2026-11-14T00:00:00.000Z' },
  code_version: '0.1.0',
  parent: null,
  card: { summary: 'Gradient-boosted trees over 81 features.' },
  proposals: [{ ...modelProposal, proposed_at: '2026-11-20T08:10:00.000Z' }],
  rollouts: [
    {
      corridor: 'US-EG',
      state: 'active',
      canary_percent: 0,
      cause: 'approval',
      proposal_id: '11',
      proposed_by: 'Ann',
      approved_by: 'Bob',
      reason: null,
      ends_at: null,
      created_at: '2026-11-20T08:05:00.000Z',
    },
  ],
};

export const decidedRollouts: DecidedRolloutsJson = {
  items: [{ corridor: 'US-EG', to: 'canary:5', cause: 'approval', model_id: MODEL_ID }],
};

const drift: Drift = {
  psi: 0.03,
  level: 'fine',
  rows: 20_000,
  reference_rows: null,
  missing: 0,
  missing_reference: 0,
};
const share = { rows: 412, value: 0.81, low: 0.77, high: 0.845 };

export const watchReport: WatchReport = {
  watched_at: '2026-11-20T09:35:00.000Z',
  model: MODEL,
  compared_with: 'training',
  window: { from: '2026-11-19T09:35:00.000Z', to: '2026-11-20T09:35:00.000Z' },
  rows: 20_000,
  level: 'fine',
  score: drift,
  features: [{ feature: 'count_1h', ...drift }],
  outcomes: {
    window: { from: '2026-11-06T09:35:00.000Z', to: '2026-11-13T09:35:00.000Z' },
    rows: 20_000,
    labelled: 15_210,
    frauds: 431,
    review: { precision: share, recall: share },
    decline: { precision: share, recall: null },
    promised: 0.027,
    seen: { rows: 15_210, value: 0.028, low: 0.026, high: 0.031 },
    calibration: [{ rows: 1521, promised: 0.001, seen: 0.001 }],
    label_delay_seconds: { p50: 86_400, p90: 432_000, p99: 604_800 },
  },
};

/** It would have reviewed what was approved, and rightly so. */
export const comparison: ComparisonJson = {
  model: MODEL,
  ...{ from: '2026-10-24T00:00:00.000Z', to: '2026-11-20T09:30:00.000Z' },
  ...{ rows: 6000, labelled: 4100, frauds: 40 },
  verdicts: [
    { decided: 'approve', shadow: 'approve', rows: 5900 },
    { decided: 'approve', shadow: 'review', rows: 100 },
  ],
  decided: { flagged: 0, precision: null, recall: { rows: 40, value: 0, low: 0, high: 0.088 } },
  shadow: {
    flagged: 100,
    precision: { rows: 70, value: 0.4, low: 0.293, high: 0.517 },
    recall: { rows: 40, value: 0.7, low: 0.546, high: 0.819 },
  },
  distribution: [{ from: 0, decided: 5900, shadow: 5700 }],
};
