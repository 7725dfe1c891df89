/** Lines over time, drawn by uPlot in the colours of the theme. */
import { useMemo, useState } from 'react';
import type uPlot from 'uplot';
import { clock, short } from '../format.ts';
import { lastHour, withGaps } from './gaps.ts';
import { type Drawing, frameOf, type LineColor, useUplot } from './use-uplot.ts';

export type Line = {
  readonly label: string;
  readonly color: LineColor;
  readonly values: readonly (number | null)[];
  /** Filled down to zero. */
  readonly filled?: boolean;
};

type PlotProps = {
  readonly label: string;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly height?: number;
  /** Writes a value of the legend. */
  readonly format?: (value: number) => string;
  /** Days rather than moments. */
  readonly isDaily?: boolean;
};

export function Plot(props: PlotProps) {
  const { times, lines, height = 170, isDaily = false } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const data = useMemo(() => dataOf(times, lines, isDaily), [times, lines, isDaily]);
  const shape = lines.map((line) => line.label).join();
  const options = (drawing: Drawing) => optionsOf(props, drawing, setPointed);
  const box = useUplot(options, data, shape, height);

  return (
    <div className="plot">
      <div ref={box} role="img" aria-label={describe(props)} />
      <Legend {...props} at={pointed} />
    </div>
  );
}

/** The values under the pointer; elsewhere the latest. */
function Legend({
  times,
  lines,
  format = short,
  isDaily = false,
  at,
}: PlotProps & { readonly at: number | null }) {
  const index = at ?? times.length - 1;
  const seconds = times[index];
  return (
    <p className="legend" aria-hidden="true">
      {lines.map(({ label, color, values }) => {
        const value = values[index];
        return (
          <span key={label}>
            <i className={color} />
            {label} <strong>{value === null || value === undefined ? '–' : format(value)}</strong>
          </span>
        );
      })}
      <span className="muted">{seconds === undefined ? '' : whenOf(seconds, isDaily)}</span>
    </p>
  );
}

function describe({ label, lines, format = short }: PlotProps): string {
  const now = lines.map((line) => {
    const last = line.values.findLast((value) => value !== null);
    return `${line.label} ${last === undefined || last === null ? 'unknown' : format(last)}`;
  });
  return `${label}. Latest: ${now.join(', ')}.`;
}

function dataOf(times: readonly number[], lines: readonly Line[], isDaily: boolean) {
  const drawn = lines.map(({ values }) => (isDaily ? [...values] : withGaps(times, values)));
  return [[...times], ...drawn] satisfies uPlot.AlignedData;
}

function optionsOf(
  { lines, isDaily = false }: PlotProps,
  drawing: Drawing,
  onPoint: (index: number | null) => void,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { y, xAxis, yAxis, ...frame } = frameOf(drawing, onPoint);
  const { color } = drawing;
  return {
    ...frame,
    scales: {
      ...(isDaily
        ? {}
        : {
            x: {
              // uPlot proposes a day beyond a single moment.
              range: ({ data }) => lastHour(data[0]),
            },
          }),
      y,
    },
    axes: [
      {
        ...xAxis,
        ...{ space: 70, size: 28 },
        ...(isDaily ? { values: DAY_TICKS } : { values: TIME_TICKS, incrs: [...TICKS_SECONDS] }),
      },
      { ...yAxis, size: 46, values: (_, ticks) => ticks.map((tick) => short(tick)) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.75,
        points: { show: (plot: uPlot) => isDaily || plot.data[0].length === 1 },
        spanGaps: false,
        ...(line.filled ? { fill: `${color(line.color)}1f` } : {}),
      })),
    ],
  };
}

/** Ticks name minutes: none is between two. */
const TICKS_SECONDS = [60, 300, 600, 1800, 3600] as const;
const TICK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const whenOf = (seconds: number, isDaily: boolean) =>
  isDaily ? DAY.format(seconds * 1000) : clock(seconds * 1000);
const TIME_TICKS = (_: uPlot, ticks: number[]) => ticks.map((tick) => TICK.format(tick * 1000));
const DAY_TICKS = (_: uPlot, ticks: number[]) => ticks.map((tick) => DAY.format(tick * 1000));
