import { expect, test } from 'vitest';
import { segmentFigures } from '../../../../../../src/rooms/models/training/card/model-card.ts';

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
