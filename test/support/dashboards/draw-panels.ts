/** The part of `draw.ts` that a browser runs: it is sent there as text, so that it may use nothing from outside of itself. */
import type UPlot from 'uplot';

export type Drawn = {
  readonly type: string;
  readonly title: string;
  /** In columns of 24, and rows. */
  readonly at: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly unit: string;
  readonly isStacked: boolean;
  readonly steps: readonly { readonly value: number | null; readonly color: string }[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
};

type Page = {
  readonly title: string;
  readonly start: number;
  readonly step: number;
  readonly panels: readonly Drawn[];
};

/** The part of a page that is used here; the types of browsers are not those of these programs. */
type Box = {
  textContent: string;
  readonly style: { cssText: string };
  readonly append: (child: Box | string) => void;
};
type Browser = {
  readonly uPlot: typeof UPlot;
  readonly document: { readonly body: Box; readonly createElement: (name: string) => Box };
};

export function drawPanels({ title, start, step, panels }: Page): void {
  const { uPlot, document } = globalThis as unknown as Browser;
  const COLOURS = [
    '#3274d9',
    '#73bf69',
    '#f2884b',
    '#b877d9',
    '#e0b400',
    '#e02f44',
    '#37a2a2',
    '#8f6b4a',
    '#6c7bd0',
    '#a3a3a3',
  ];
  const [COLUMN_PX, ROW_PX, TITLE_PX] = [49, 32, 40];
  document.body.style.cssText =
    'margin: 0; background: #f4f5f5; font: 12px system-ui, sans-serif; color: #24292e';
  const add = (parent: Box, text: string, style: string) => {
    const made = document.createElement('div');
    made.textContent = text;
    made.style.cssText = style;
    parent.append(made);
    return made;
  };
  add(document.body, title, `font-size: 18px; padding: 8px 12px; height: ${TITLE_PX - 16}px`);
  const rows = Math.max(...panels.map(({ at }) => at.y + at.h));
  const board = add(document.body, '', `position: relative; height: ${rows * ROW_PX + 8}px`);
  const say = (value: number | null | undefined, unit: string): string => {
    if (value === null || value === undefined) return '–';
    const short = (given: number) => String(Number(given.toPrecision(3)));
    const scaled = (given: number, by: number, names: readonly string[]) => {
      let [left, nth] = [given, 0];
      while (Math.abs(left) >= by && nth < names.length - 1) [left, nth] = [left / by, nth + 1];
      return `${short(left)}${names[nth]}`;
    };
    if (unit === 'percentunit') return `${short(value * 100)} %`;
    if (unit === 'bytes') return scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
    if (unit === 'currencyUSD') return `$${short(value)}`;
    if (unit === 's')
      return value < 1 ? `${short(value * 1000)} ms` : scaled(value, 3600, [' s', ' h']);
    return scaled(value, 1000, ['', ' k', ' M']) + (unit === 'cps' || unit === 'reqps' ? '/s' : '');
  };
  const colourOf = ({ steps }: Drawn, value: number) =>
    steps.findLast((one) => one.value === null || value >= one.value)?.color ?? 'green';
  for (const panel of panels) {
    const { at, type, unit, lines } = panel;
    const place = `position: absolute; left: ${at.x * COLUMN_PX + 12}px; top: ${at.y * ROW_PX}px; width: ${at.w * COLUMN_PX - 24}px; height: ${at.h * ROW_PX - 16}px`;
    if (type === 'row') {
      add(board, panel.title, `${place}; font-weight: 600; font-size: 14px; padding-top: 6px`);
      continue;
    }
    const box = add(
      board,
      '',
      `${place}; background: #fff; border: 1px solid #dcdfe3; padding: 4px 6px; overflow: hidden`,
    );
    add(box, panel.title, 'font-weight: 600; height: 18px');
    const filled = lines.filter((one) => one.values.some((value) => value !== null));
    const [first] = filled;
    if (first === undefined) {
      add(box, 'No data', 'color: #8e8e8e; text-align: center; padding-top: 50px');
      continue;
    }
    if (type === 'stat') {
      const last = first.values.findLast((value) => value !== null) ?? 0;
      add(
        box,
        say(last, unit),
        `font-size: 28px; text-align: center; padding-top: 18px; color: ${colourOf(panel, last)}`,
      );
      continue;
    }
    const times = first.values.map((_, nth) => start + nth * step);
    const sums = times.map(() => 0);
    const data = filled.map(({ values }) =>
      values.map((value, nth) => {
        if (!panel.isStacked) return value;
        sums[nth] = (sums[nth] ?? 0) + (value ?? 0);
        return sums[nth] ?? 0;
      }),
    );
    // The upper layers are drawn first, so that each layer shows.
    const order = panel.isStacked ? [...data.keys()].reverse() : [...data.keys()];
    const bounds = panel.steps.flatMap((one) =>
      one.value === null ? [] : [{ ...one, value: one.value }],
    );
    const most = Math.max(...data.flat().map((value) => value ?? 0));
    const plot = {
      width: at.w * COLUMN_PX - 38,
      height: at.h * ROW_PX - 84,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: [0, most === 0 ? 1 : most * 1.1] as [number, number] } },
      axes: [
        { size: 26, font: '10px system-ui', grid: { stroke: '#eef0f2' } },
        {
          size: 62,
          font: '10px system-ui',
          grid: { stroke: '#eef0f2' },
          values: (_: unknown, ticks: number[]) => ticks.map((tick) => say(tick, unit)),
        },
      ],
      series: [
        {},
        ...order.map((nth) => {
          const stroke = COLOURS[nth % COLOURS.length] ?? '#3274d9';
          return {
            stroke,
            width: 1.5,
            points: { show: false },
            spanGaps: false,
            ...(panel.isStacked ? { fill: `${stroke}cc` } : {}),
          };
        }),
      ],
      hooks: {
        draw: [
          ({ ctx, bbox, valToPos }: UPlot) => {
            for (const { value, color } of bounds) {
              if (value > most * 1.1) continue;
              const y = valToPos(value, 'y', true);
              ctx.save();
              ctx.strokeStyle = color;
              ctx.setLineDash([6, 4]);
              ctx.beginPath();
              ctx.moveTo(bbox.left, y);
              ctx.lineTo(bbox.left + bbox.width, y);
              ctx.stroke();
              ctx.restore();
            }
          },
        ],
      },
    };
    new uPlot(plot, [times, ...order.map((nth) => data[nth] ?? [])], box);
    const legend = add(
      box,
      '',
      'height: 30px; overflow: hidden; font-size: 11px; line-height: 15px',
    );
    filled.forEach(({ name, values }, nth) => {
      const item = add(
        legend,
        '',
        'display: inline-block; margin-right: 10px; white-space: nowrap',
      );
      const mark = `display: inline-block; width: 9px; height: 3px; margin: 0 4px 3px 0; background: ${COLOURS[nth % COLOURS.length]}`;
      add(item, '', mark);
      item.append(
        `${name} ${say(
          values.findLast((value) => value !== null),
          unit,
        )}`,
      );
    });
  }
}
