import { describe, expect, test } from 'vitest';
import type { ModelReference } from '../../../../../src/rooms/models/model-record.ts';
import {
  measureDrift,
  type WatchedScore,
} from '../../../../../src/rooms/models/watch/write-reports.ts';
import { WATCH_MINIMUM } from '../../../../../src/rooms/models/watch-report.ts';

const ROWS: number = WATCH_MINIMUM.driftRows;
const NAMES = ['amount', 'hour'];

/** Values from 0 to 9 in equal parts. */
const digit = (row: number) => row % 10;
function scoresOf(of: (row: number) => readonly number[], rows = ROWS): WatchedScore[] {
  return Array.from({ length: rows }, (_, row) => ({ value: digit(row) / 10, vector: of(row) }));
}
const usual = scoresOf((row) => [digit(row), digit(row)]);

const halves = (name: string) => ({ name, cuts: [0.5], shares: [0.5, 0.5, 0] });
const TRAINED: ModelReference = { features: [halves('hour')], probability: halves('probability') };

async function featureOf(name: string, now: WatchedScore[], before: WatchedScore[] = usual) {
  const drift = await measureDrift(now, before, NAMES, undefined);
  return drift.features.find(({ feature }) => feature === name);
}

describe('drift against the week before', () => {
  test('is of the feature that moved, and by hand what the formula says', async () => {
    // Half of the ten equal bins are empty, the other half doubled; an empty one counts as 0.0001.
    const now = scoresOf((row) => [digit(row), digit(row) % 5]);
    const byHand = 5 * (0.1 * Math.log(2)) + 5 * ((1e-4 - 0.1) * Math.log(1e-4 / 0.1));
    expect((await featureOf('hour', now))?.psi).toBeCloseTo(byHand, 10);
    expect((await featureOf('hour', now))?.level).toBe('alert');
    expect(await featureOf('amount', now)).toMatchObject({ psi: 0, level: 'fine' });
  });

  test('takes missing values for a bin of their own', async () => {
    const now = scoresOf((row) => [row % 2 === 0 ? Number.NaN : digit(row), 0]);
    const drift = await featureOf('amount', now);
    expect(drift).toMatchObject({ missing: 0.5, missing_reference: 0, level: 'alert' });
  });

  test('of a feature that was always missing alerts nobody', async () => {
    const before = scoresOf((row) => [digit(row), Number.NaN]);
    const drift = await featureOf('hour', usual, before);
    expect(drift).toMatchObject({ missing: 0, missing_reference: 1, level: 'unknown' });
  });

  test('of small samples alerts nobody', async () => {
    const few = scoresOf((row) => [digit(row) % 5, 0], ROWS - 1);
    for (const drift of [await featureOf('amount', few), await featureOf('amount', usual, few)]) {
      expect(drift?.psi).toBeGreaterThan(0.25);
      expect(drift?.level).toBe('unknown');
    }
    expect((await measureDrift(few, usual, NAMES, undefined)).score.level).toBe('unknown');
  });
});

test('drift against the training is of the features that the model reads, whatever the week before was', async () => {
  const drift = await measureDrift(usual, [], NAMES, TRAINED);
  expect(drift.features.map(({ feature }) => feature)).toEqual(['hour']);
  // A tenth of the digits lies below 0.5; half of the values from 0 to 0.9 do.
  expect(drift.features[0]?.psi).toBeCloseTo(-0.4 * Math.log(0.2) + 0.4 * Math.log(1.8), 10);
  expect(drift.score).toMatchObject({ psi: 0, level: 'fine', reference_rows: null });
  expect(drift.level).toBe('alert');
});
