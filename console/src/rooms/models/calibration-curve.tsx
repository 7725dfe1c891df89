/** Predicted probabilities beside what was seen; on the guide both are equal. */
import { useMemo } from 'react';
import { percent } from '../../format.ts';
import { Curve, type CurveLine } from '../../parts/curve.tsx';

type Row = { readonly promised: number; readonly seen: number };

export function CalibrationCurve({
  label,
  rows,
}: {
  readonly label: string;
  readonly rows: readonly Row[];
}) {
  const lines = useMemo((): readonly CurveLine[] => {
    const last = Math.max(0, ...rows.map(({ promised }) => promised));
    return [
      {
        ...{ label: 'frauds seen', color: 'accent' },
        points: rows.map(({ promised, seen }) => [promised, seen] as const),
      },
      {
        ...{ label: 'as promised', color: 'muted', isGuide: true },
        points: [[0, 0] as const, [last, last] as const],
      },
    ];
  }, [rows]);
  return (
    <Curve
      {...{ label, x: 'promised probability', y: 'share of frauds', lines }}
      {...{ formatX: percent, formatY: percent }}
    />
  );
}
