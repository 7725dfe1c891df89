import { describe, expect, test } from 'vitest';
import {
  type ModelCard,
  renderCard,
  segmentFigures,
} from '../../../../../../src/rooms/models/training/card/render-card.ts';

const CARD: ModelCard = {
  id: 'cards@3',
  kind: 'trees',
  sha256: 'ab'.repeat(32),
  createdAt: '2026-11-20T09:30:00.000Z',
  codeVersion: '0.2.0',
  parent: 'cards@2',
  featureSchema: 2,
  seed: '7',
  options: { rounds: 300, monotone: { rate: 1 } },
  training: {
    from: '2026-08-01',
    to: '2026-10-31',
    knownBy: '2026-11-07T00:00:00.000Z',
    rows: 872_000,
    frauds: 7000,
    ...{ unlabelled: 12, unlabelledAs: 'skip' },
  },
  validation: {
    from: '2026-11-01',
    to: '2026-11-07',
    knownBy: '2026-11-14T00:00:00.000Z',
    rows: 67_000,
    frauds: 570,
    ...{ unlabelled: 0, unlabelledAs: 'skip' },
  },
  figures: { auc: { value: 0.89123, low: 0.88, high: 0.9 } },
  calibration: { kind: 'platt', slope: 1.1, intercept: -0.2 },
  calibrationTable: [{ rows: 500, promised: 0.02, seen: 0.018 }],
  bands: { reviewFrom: 0.2, declineFrom: 2 },
  bandsRule: { by: 'budget', reviewsADay: 100, declinesADay: 0 },
  size: 180,
  importance: [{ name: 'amount|log', share: 0.625 }],
  segments: {
    corridor: [
      { segment: 'US-EG', rows: 9, frauds: 0, flagged: 0.25, falseAlarms: 0.25, caught: null },
    ],
  },
  reference: { features: [], probability: { name: 'probability', cuts: [], shares: [1, 0] } },
};

describe('renderCard', () => {
  const text = renderCard(CARD);

  test.each([
    '# cards@3',
    'trained 2026-11-20T09:30:00.000Z by version 0.2.0 with seed `7` on feature schema 2',
    '| training | 2026-08-01 | 2026-10-31 | 2026-11-07T00:00:00.000Z | 872000 | 7000 | 0.80 % | 12 left out |',
    '| validation | 2026-11-01 |',
    '| auc | 0.8912 | 0.8800 | 0.9000 |',
    'A trees model of 180 trees',
    '| 0.85 % | 0 |',
    'By platt, fitted to the validation window.',
    '| 500 | 0.0200 | 0.0180 |',
    'For 100 reviews and 0 declines a day: review from 0.2000, decline never.',
    '| amount\\|log | 62.50 % |',
    '## By corridor',
    '| US-EG | 9 | 0 | 25.00 % | 25.00 % |  |',
    '| monotone | {"rate":1} |',
  ])('says %s', (line) => {
    expect(text).toContain(line);
  });
});

test('segmentFigures counts who is flagged and who is caught', () => {
  const probabilities = [0.9, 0.5, 0.1, 0.5, 0.2, 0.2];
  const labels = [1, 0, 1, 0, 0, 1];
  const segments = ['US-EG', 'US-EG', 'US-EG', 'EG-US', 'EG-US', 'US-US'];
  expect(segmentFigures(probabilities, labels, segments, 0.5)).toEqual([
    { segment: 'US-EG', rows: 3, frauds: 2, flagged: 2 / 3, falseAlarms: 1, caught: 0.5 },
    { segment: 'EG-US', rows: 2, frauds: 0, flagged: 0.5, falseAlarms: 0.5, caught: null },
    { segment: 'US-US', rows: 1, frauds: 1, flagged: 0, falseAlarms: null, caught: 0 },
  ]);
});
