/** Charts as SVG text. Each has a ground of its own, so that it is readable on light and on dark pages. */

export type Line = {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
};
export type LineChart = {
  readonly title: string;
  /** Name of the horizontal axis. */
  readonly x: string;
  /** Many points at even distances: a linear axis with a label a step, and no dots. Else the axis is logarithmic. */
  readonly isEven?: boolean;
  readonly lines: readonly Line[];
};
export type Bar = {
  readonly label: string;
  readonly value: number;
  /** Number of the colour. */
  readonly colour: number;
};
export type BarChart = { readonly title: string; readonly bars: readonly Bar[] };

const WIDTH = 720;
const COLOURS = [
  ['#0969da', '#58a6ff'],
  ['#bc4c00', '#f0883e'],
  ['#1a7f37', '#3fb950'],
  ['#8250df', '#bc8cff'],
] as const;
/** Rules of the light theme (0) and of the dark one (1). */
const rules = (theme: 0 | 1) =>
  [
    `.ground{fill:${['#ffffff', '#0d1117'][theme]}}text{fill:${['#1f2328', '#e6edf3'][theme]}}`,
    `.grid{stroke:${['#d1d9e0', '#3d444d'][theme]}}`,
    ...COLOURS.map(
      (colour, at) => `.f${at}{fill:${colour[theme]}}.s${at}{stroke:${colour[theme]}}`,
    ),
  ].join('');
const STYLE = `text{font:12px system-ui,sans-serif}.title{font-weight:600}.note{font-size:10px}polyline{fill:none;stroke-width:2}`;

const PLOT = { left: 56, right: 24, top: 52, height: 230 } as const;
const BARS = { left: 250, right: 80, top: 36, height: 22 } as const;
/** Labels of the horizontal axis that are nearer to the one before them are left out. */
const LABEL_WIDTH = 38;
const STEPS = 5;

export function lineChart({ title, x, lines, isEven = false }: LineChart, note: string): string {
  const points = lines.flatMap((line) => line.points);
  const xs = [...new Set(points.map(([at]) => at))].sort((a, b) => a - b);
  const [first = 1] = xs;
  const distance = (value: number) => (isEven ? value - first : Math.log(value / first));
  const span = distance(xs.at(-1) ?? first) || 1;
  const step = roundUp(Math.max(...points.map(([, value]) => value)) / STEPS);
  const width = WIDTH - PLOT.left - PLOT.right;
  const bottom = PLOT.top + PLOT.height;
  const atX = (value: number) => round(PLOT.left + (width * distance(value)) / span);
  const atY = (value: number) => round(bottom - (PLOT.height * value) / (step * STEPS));
  const grid = Array.from({ length: STEPS + 1 }, (_, nth) => nth * step).flatMap((value) => [
    `<path class="grid" d="M${PLOT.left} ${atY(value)}h${width}"/>`,
    text(PLOT.left - 8, atY(value) + 4, short(value), 'end'),
  ]);
  let labelled = Number.NEGATIVE_INFINITY;
  const labels = xs.flatMap((value) => {
    if (atX(value) - labelled < LABEL_WIDTH) return [];
    labelled = atX(value);
    return [text(labelled, bottom + 18, short(value), 'middle')];
  });
  const drawn = lines.flatMap(({ name, points: own }, nth) => {
    const at = nth % COLOURS.length;
    return [
      `<polyline class="s${at}" points="${own.map(([one, y]) => `${atX(one)},${atY(y)}`).join(' ')}"/>`,
      ...(isEven ? [] : own).map(
        ([one, y]) => `<circle class="f${at}" cx="${atX(one)}" cy="${atY(y)}" r="3"/>`,
      ),
      `<circle class="f${at}" cx="${PLOT.left + nth * 170}" cy="36" r="4"/>`,
      text(PLOT.left + 10 + nth * 170, 40, name),
    ];
  });
  const axis = text(PLOT.left + width / 2, bottom + 36, x, 'middle');
  return svg(bottom + 64, title, note, [...grid, ...labels, axis, ...drawn]);
}

export function barChart({ title, bars }: BarChart, note: string): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const width = WIDTH - BARS.left - BARS.right;
  const drawn = bars.flatMap(({ label, value, colour }, nth) => {
    const y = BARS.top + nth * BARS.height;
    const length = round((width * value) / most);
    return [
      text(BARS.left - 8, y + 12, label, 'end'),
      `<rect class="f${colour}" x="${BARS.left}" y="${y}" width="${length}" height="16"/>`,
      text(BARS.left + length + 6, y + 12, figure(value)),
    ];
  });
  return svg(BARS.top + bars.length * BARS.height + 28, title, note, drawn);
}

function svg(height: number, title: string, note: string, drawn: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}${rules(0)}@media (prefers-color-scheme:dark){${rules(1)}}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    text(16, 20, title, 'start', 'title'),
    ...drawn,
    text(16, height - 8, note, 'start', 'note'),
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, words: string, anchor = 'start', name = 'label'): string {
  return `<text class="${name}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

const escaped = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const round = (value: number) => Number(value.toFixed(1));
const figure = (value: number) => value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
const short = (value: number) =>
  value.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** The next of 1, 2, 2.5, 5 and their tenfolds. */
function roundUp(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(value));
  return ten * ([1, 2, 2.5, 5, 10].find((factor) => factor * ten >= value) ?? 10);
}
