/** Thresholds: alerts against frauds caught, with the point of today, and the figures of one that a person tries. */
import { useId, useMemo, useState } from 'react';
import type { BacktestReport } from '../../../../src/kit/client/api-types.ts';
import { count, number } from '../../format.ts';
import { Curve, type CurveLine } from '../../parts/curve.tsx';
import { Part } from '../../parts/page.tsx';

type Point = BacktestReport['curve'][number];
const SCORE_MAX = 1000;
/** Points of a line. More: its description is longer than anybody listens to. */
const POINTS_MAX = 60;
/** The curve ends at so many times the alerts of today: nobody looks at more. */
const ALERTS_SHARE = 4;
const COLORS = ['accent', 'warning'] as const;

/** Figures of a threshold, which flags as much as the next higher threshold at which rows lie. */
export function pointAt(curve: readonly Point[], threshold: number): Omit<Point, 'threshold'> {
  const none = { alerts_per_day: 0, frauds_caught: 0, legitimate: 0 };
  return curve.find((one) => one.threshold >= threshold) ?? none;
}

/** By ascending alerts. */
function lineOf({ curve, today, subject }: BacktestReport): (readonly [number, number])[] {
  const most = ALERTS_SHARE * Math.max(today.alerts_per_day, subject.alerts_per_day);
  const near = curve.filter((one) => one.alerts_per_day <= most).toReversed();
  const step = Math.ceil(near.length / POINTS_MAX);
  return near
    .filter((_, at) => at % step === 0 || at === near.length - 1)
    .map((one) => [one.alerts_per_day, one.frauds_caught]);
}

export function Tune({ reports }: { readonly reports: readonly BacktestReport[] }) {
  const [first] = reports;
  const lines = useMemo((): readonly CurveLine[] => {
    const curves = reports.map(
      (one, at): CurveLine => ({
        ...{ label: `${one.subject.version}, by threshold`, isPlain: true },
        ...{ color: COLORS[at] ?? 'fine', points: lineOf(one) },
      }),
    );
    const points = reports.map(({ today, against }) => ({
      ...({ label: `today: ${against.version}`, color: 'critical' } as const),
      points: [[today.alerts_per_day, today.frauds_caught]] as const,
    }));
    const seen = new Map(points.map((one) => [JSON.stringify(one), one]));
    return [...curves, ...seen.values()];
  }, [reports]);
  const [threshold, setThreshold] = useState(() => nearest(first));
  const id = useId();
  if (first === undefined) return null;
  return (
    <Part title="Thresholds">
      <Curve
        {...{ label: 'Frauds caught by alerts', x: 'alerts a day', y: 'frauds caught', lines }}
        {...{ formatX: number, formatY: count }}
      />
      <div className="field">
        <label htmlFor={id}>Flag from this score on: {threshold}</label>
        <input
          id={id}
          type="range"
          min={1}
          max={SCORE_MAX}
          value={threshold}
          onChange={({ target }) => setThreshold(Number(target.value))}
        />
      </div>
      {[...reports.entries()].map(([nth, { subject, curve, frauds, today }]) => {
        const at = pointAt(curve, threshold);
        return (
          <p key={nth} role="status">
            {subject.version} from {threshold} on: <strong>{number(at.alerts_per_day)}</strong>{' '}
            alerts a day, <strong>{count(at.frauds_caught)}</strong> of {count(frauds)} frauds
            caught, <strong>{count(at.legitimate)}</strong> good customers flagged. Today:{' '}
            {number(today.alerts_per_day)} alerts a day, {count(today.frauds_caught)} frauds.
          </p>
        );
      })}
      <p className="muted small">By the points alone: forced verdicts count in any case.</p>
    </Part>
  );
}

/** The threshold that flags about as much as today. */
function nearest(report: BacktestReport | undefined): number {
  if (report === undefined) return SCORE_MAX;
  const { alerts_per_day: today } = report.today;
  const apart = ({ alerts_per_day }: Point) => Math.abs(alerts_per_day - today);
  const [best] = report.curve.toSorted((one, other) => apart(one) - apart(other));
  return best?.threshold ?? SCORE_MAX;
}
