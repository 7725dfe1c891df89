/** Lines over a number rather than over time, drawn by uPlot: calibration, distributions. */
import { useMemo, useState } from 'react';
import uPlot from 'uplot';
import { type Drawing, frameOf, type LineColor, useUplot } from './use-uplot.ts';

export type CurveLine = {
  readonly label: string;
  readonly color: LineColor;
  /** By ascending x. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Steps, as of counts in bins; else a line with its points. */
  readonly isStepped?: boolean;
  /** A line of so many points that none is marked. */
  readonly isPlain?: boolean;
  /** The line that the others are compared with: thin, without points. */
  readonly isGuide?: boolean;
};

type CurveProps = {
  readonly label: string;
  readonly lines: readonly CurveLine[];
  /** The meanings of the axes. */
  readonly x: string;
  readonly y: string;
  /** Writes values of both axes. */
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly height?: number;
};

export function Curve(props: CurveProps) {
  const { lines, x, formatX, formatY, height = 210 } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const data = useMemo(() => align(lines), [lines]);
  const shape = lines.map((line) => line.label).join();
  const options = (drawing: Drawing) => optionsOf(props, drawing, setPointed);
  const box = useUplot(options, data, shape, height);
  const at = pointed === null ? undefined : data[0][pointed];
  return (
    <div className="plot curve">
      <div ref={box} role="img" aria-label={describe(props)} />
      <p className="legend" aria-hidden="true">
        {lines.map(({ label: name, color }, index) => {
          const value = pointed === null ? undefined : data[index + 1]?.[pointed];
          return (
            <span key={name}>
              <i className={color} />
              {name} <strong>{value === undefined || value === null ? '' : formatY(value)}</strong>
            </span>
          );
        })}
        <span className="muted">{at === undefined ? `by ${x}` : `at ${formatX(at)}`}</span>
      </p>
    </div>
  );
}

/** All x of all lines; a line is null where it has no point. */
function align(lines: readonly CurveLine[]): [number[], ...(number | null)[][]] {
  const all = new Set(lines.flatMap(({ points }) => points.map(([x]) => x)));
  const xs = [...all].sort((a, b) => a - b);
  const columns = lines.map(({ points }) => {
    const byX = new Map(points);
    return xs.map((x) => byX.get(x) ?? null);
  });
  return [xs, ...columns];
}

function describe({ label, x, y, lines, formatX, formatY }: CurveProps): string {
  const said = lines
    .filter(({ isGuide }) => !isGuide)
    .map(({ label: name, points }) => {
      const all = points.map(([from, value]) => `${formatX(from)}: ${formatY(value)}`);
      return `${name}: ${all.join('; ')}`;
    });
  return `${label}, ${y} by ${x}. ${said.join('. ')}.`;
}

function optionsOf(
  { lines, formatX, formatY }: CurveProps,
  drawing: Drawing,
  onPoint: (index: number | null) => void,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { y, xAxis, yAxis, ...frame } = frameOf(drawing, onPoint);
  return {
    ...frame,
    scales: { x: { time: false }, y },
    axes: [
      {
        ...xAxis,
        ...{ space: 60, size: 28 },
        values: (_, ticks) => ticks.map((tick) => formatX(tick)),
      },
      { ...yAxis, size: 52, values: (_, ticks) => ticks.map((tick) => formatY(tick)) },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, drawing.color))],
  };
}

/** A step reaches from its point to the next one. */
const STEP_TO_NEXT = 1;

function seriesOf(
  { label, color: name, isStepped, isGuide, isPlain }: CurveLine,
  color: Drawing['color'],
) {
  const paths = isStepped ? uPlot.paths.stepped?.({ align: STEP_TO_NEXT }) : undefined;
  return {
    ...{ label, stroke: color(name), spanGaps: true },
    ...{ width: isGuide ? 1 : 1.75, points: { show: !isGuide && !isStepped && !isPlain } },
    ...(isGuide ? { dash: [4, 4] } : {}),
    ...(paths === undefined ? {} : { paths }),
  };
}
