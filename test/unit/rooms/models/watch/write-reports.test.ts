import { describe, expect, test } from 'vitest';
import {
  listSubjects,
  SUBJECTS_MAX,
  type WatchSamples,
  windowsAt,
  writeReport,
} from '../../../../../src/rooms/models/watch/write-reports.ts';

const AT_MS = Date.parse('2026-11-20T10:00:00Z');
const vector = (model: string | null) => ({ model, value: 0.5, vector: [1] });
const judged = (model: string | null): WatchSamples['matured'][number] => ({
  ...{ model, verdict: 'approve', probability: null },
  ...{ isFraud: false, labelDelayMs: 1000 },
});

describe('windowsAt', () => {
  test('compares a day with the week before it, and judges a week that is a week old', () => {
    const iso = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
      [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
    const windows = windowsAt(AT_MS, 7);
    expect(iso(windows.recent)).toEqual(['2026-11-19', '2026-11-20']);
    expect(iso(windows.before)).toEqual(['2026-11-12', '2026-11-19']);
    expect(iso(windows.matured)).toEqual(['2026-11-06', '2026-11-13']);
  });
});

describe('reports', () => {
  const samples: WatchSamples = {
    recent: [vector('b@1'), vector('b@1'), vector('a@1'), vector(null)],
    before: [vector('gone@1')],
    matured: [judged('a@1'), judged('a@1')],
  };

  test('are of whatever decided, the busiest first', () => {
    expect(listSubjects(samples)).toEqual(['a@1', 'b@1', 'rules']);
  });

  test('are of so many at most', () => {
    const many = Array.from({ length: SUBJECTS_MAX + 1 }, (_, n) => vector(`m@${n}`));
    expect(listSubjects({ ...samples, recent: many })).toHaveLength(SUBJECTS_MAX);
  });

  test('keep what one decided apart from the others', async () => {
    const of = (subject: string) =>
      writeReport(subject, samples, windowsAt(AT_MS, 7), ['amount'], undefined);
    expect(await of('a@1')).toMatchObject({
      model: 'a@1',
      rows: 1,
      outcomes: { rows: 2, labelled: 2 },
    });
    expect(await of('rules')).toMatchObject({ model: 'rules', rows: 1, outcomes: { rows: 0 } });
    expect(await of('b@1')).toMatchObject({ rows: 2, watched_at: '2026-11-20T10:00:00.000Z' });
  });
});
