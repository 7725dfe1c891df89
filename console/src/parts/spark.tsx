/** Counts of days as bars in a line: the shape of a month at a glance. */
import { count } from '../format.ts';

const DAY_MS = 86_400_000;
const [BAR, HEIGHT] = [6, 36];

type SparkProps = {
  /** The things that are counted, as in `transactions a day`. */
  readonly label: string;
  /** UTC days, as 2026-11-20; a day that is not there has none. */
  readonly days: readonly { readonly day: string; readonly value: number }[];
  /** The last day of the line. */
  readonly until: string;
  readonly length: number;
};

export function Spark({ label, days, until, length }: SparkProps) {
  const known = new Map(days.map(({ day, value }) => [day, value]));
  const lastMs = Date.parse(until.slice(0, 10));
  const values = Array.from({ length }, (_, n) => {
    const day = new Date(lastMs - (length - 1 - n) * DAY_MS).toISOString().slice(0, 10);
    return { day, value: known.get(day) ?? 0 };
  });
  const max = Math.max(1, ...values.map(({ value }) => value));
  const latest = values.at(-1)?.value ?? 0;
  return (
    <figure className="spark">
      <svg
        viewBox={`0 0 ${length * BAR} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}, the last ${length} days: at most ${count(max)}, on the last ${count(latest)}`}
      >
        {values.map(({ day, value }, index) => {
          const height = value === 0 ? 1 : Math.max(2, (value / max) * HEIGHT);
          return (
            <rect
              key={day}
              className={value === 0 ? 'none' : undefined}
              x={index * BAR}
              y={HEIGHT - height}
              width={BAR - 1.5}
              height={height}
            >
              <title>{`${day}: ${count(value)}`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption className="muted small">
        {label}, {length} days, at most <strong>{count(max)}</strong>
      </figcaption>
    </figure>
  );
}
