/** A canvas of uPlot within a box: drawn anew for another theme or shape, resized with the box, and given new data. */
import { type RefObject, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTheme } from '../shell/theme.ts';

/** Colours of style/theme.css that lines may have. */
export type LineColor = 'accent' | 'fine' | 'warning' | 'critical' | 'muted';

/** The facts of the page that options need. */
export type Drawing = {
  readonly width: number;
  /** A colour of style/theme.css. */
  readonly color: (name: string) => string;
  readonly font: string;
};

/** @param shape drawn from scratch where it changes */
export function useUplot(
  makeOptions: (drawing: Drawing) => Omit<uPlot.Options, 'width' | 'height'>,
  data: uPlot.AlignedData,
  shape: string,
  height: number,
): RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef({ makeOptions, data });
  latest.current = { makeOptions, data };
  const theme = useTheme().shown;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme or another shape is drawn from scratch
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const styles = getComputedStyle(element);
    const { makeOptions: options, data: first } = latest.current;
    const drawing: Drawing = {
      width: element.clientWidth,
      color: (name) => styles.getPropertyValue(`--${name}`).trim(),
      font: `12px ${styles.fontFamily}`,
    };
    const made = new uPlot({ ...options(drawing), width: drawing.width, height }, first, element);
    plot.current = made;
    const resizing = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [theme, shape, height]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return box;
}

/** The options that all plots have: lines from zero, no zoom, a legend of ours, and quiet axes. */
export function frameOf({ color, font }: Drawing, onPoint: (index: number | null) => void) {
  const axis = { stroke: color('muted'), font, ticks: { show: false } };
  return {
    // A drag would only zoom.
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    legend: { show: false },
    hooks: { setCursor: [({ cursor }: uPlot) => onPoint(cursor.idx ?? null)] },
    y: {
      range: (_: uPlot, min: number, max: number): uPlot.Range.MinMax => [
        Math.min(0, min),
        max > 0 ? max * 1.08 : 1,
      ],
    },
    xAxis: { ...axis, grid: { show: false } },
    yAxis: { ...axis, grid: { stroke: color('line'), width: 1 } },
  };
}
