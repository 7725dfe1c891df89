/**
 * Amounts over time, one stem each. The arrow keys move between them, Home and End to the first and last, and Enter opens one;
 * the line below says what the focused one is.
 */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { short } from '../format.ts';

export type Stem = {
  readonly key: string;
  readonly atMs: number;
  /** Height of the stem; null where it has no place on the axis. */
  readonly amount: number | null;
  readonly level: 'fine' | 'warning' | 'critical' | 'unknown';
  /** All that is known of it, in one line. */
  readonly text: string;
  readonly href: string;
  /** The one that the page is about. */
  readonly isOwn: boolean;
};

const HEIGHT_PX = 190;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 14, 14, 26];
const AMOUNT_TICKS = 3;
const TICK_EVERY_PX = 150;
/** Half the width of the name of a day. */
const TEXT_HALF_PX = 22;
const DAY_MS = 86_400_000;

export function Timeline({ label, stems }: { readonly label: string; readonly stems: Stem[] }) {
  const [box, width] = useWidth();
  const own = stems.findIndex(({ isOwn }) => isOwn);
  const [at, setAt] = useState(own);
  const area = useRef<HTMLFieldSetElement>(null);
  const scale = scaleOf(stems, width);
  const move = (event: KeyboardEvent) => {
    const next = nextOf(event.key, at, stems.length);
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
    area.current?.querySelector<HTMLElement>(`[data-at="${next}"]`)?.focus();
  };
  return (
    <div className="timeline">
      <div ref={box} style={{ height: HEIGHT_PX }}>
        {width === 0 ? null : (
          <fieldset ref={area} aria-label={`${label}: left and right move between them`}>
            <svg width={width} height={HEIGHT_PX}>
              <title>{label}</title>
              <Axes scale={scale} width={width} />
              {stems.map((stem, index) => (
                <StemLink
                  key={stem.key}
                  {...{ stem, index, scale }}
                  isFocusable={index === at}
                  onPoint={() => setAt(index)}
                  onKey={move}
                />
              ))}
            </svg>
          </fieldset>
        )}
      </div>
      <output className="small">{stems[at]?.text}</output>
    </div>
  );
}

function nextOf(key: string, at: number, count: number): number | undefined {
  if (key === 'ArrowLeft') return Math.max(0, at - 1);
  if (key === 'ArrowRight') return Math.min(count - 1, at + 1);
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  return undefined;
}

type Scale = {
  readonly x: (atMs: number) => number;
  readonly y: (amount: number) => number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly max: number;
};

function scaleOf(stems: readonly Stem[], width: number): Scale {
  const times = stems.map(({ atMs }) => atMs);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  // A lone moment stands in the middle of an hour.
  const padMs = first === last ? 1_800_000 : (last - first) * 0.02;
  const [fromMs, toMs] = [first - padMs, last + padMs];
  const max = niceMax(Math.max(0, ...stems.map(({ amount }) => amount ?? 0)));
  return {
    ...{ fromMs, toMs, max },
    x: (atMs) => LEFT + ((atMs - fromMs) / (toMs - fromMs)) * (width - LEFT - RIGHT),
    y: (amount) => HEIGHT_PX - BOTTOM - (amount / max) * (HEIGHT_PX - TOP - BOTTOM),
  };
}

/** The least of 1, 2, 2.5, 5 times a power of ten that is not below. */
function niceMax(amount: number): number {
  if (amount <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(amount));
  return power * ([1, 2, 2.5, 5].find((step) => step * power >= amount) ?? 10);
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const MOMENT = new Intl.DateTimeFormat(undefined, {
  ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
});

function Axes({ scale, width }: { readonly scale: Scale; readonly width: number }) {
  const { x, y, fromMs, toMs, max } = scale;
  const amounts = Array.from({ length: AMOUNT_TICKS }, (_, n) => (max * n) / (AMOUNT_TICKS - 1));
  const count = Math.max(2, Math.min(6, Math.floor((width - LEFT - RIGHT) / TICK_EVERY_PX) + 1));
  const isLong = toMs - fromMs > 4 * DAY_MS;
  const times = isLong ? midnights(fromMs, toMs, count) : moments(fromMs, toMs, count);
  const format = isLong ? DAY : MOMENT;
  return (
    <g>
      {amounts.map((amount) => (
        <g key={amount}>
          <line className="grid" x1={LEFT} x2={width - RIGHT} y1={y(amount)} y2={y(amount)} />
          <text x={LEFT - 8} y={y(amount) + 4} textAnchor="end">
            {short(amount)}
          </text>
        </g>
      ))}
      {times.map((time) => (
        <text key={time} x={x(time)} y={HEIGHT_PX - 8} textAnchor={anchorOf(x(time), width)}>
          {format.format(time)}
        </text>
      ))}
    </g>
  );
}

/** Evenly between both ends. */
function moments(fromMs: number, toMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => fromMs + ((toMs - fromMs) * n) / (count - 1));
}

/** In the viewer's zone, so many days apart that their names have room. */
function midnights(fromMs: number, toMs: number, count: number): number[] {
  const stepDays = Math.ceil((toMs - fromMs) / DAY_MS / count);
  const found: number[] = [];
  const day = new Date(fromMs);
  day.setHours(24, 0, 0, 0);
  for (; day.getTime() <= toMs; day.setDate(day.getDate() + stepDays)) found.push(day.getTime());
  return found;
}

/** A name at an end of the axis stays within it. */
function anchorOf(x: number, width: number): 'start' | 'middle' | 'end' {
  if (x < LEFT + TEXT_HALF_PX) return 'start';
  return x > width - RIGHT - TEXT_HALF_PX ? 'end' : 'middle';
}

type StemProps = {
  readonly stem: Stem;
  readonly index: number;
  readonly scale: Scale;
  readonly isFocusable: boolean;
  readonly onPoint: () => void;
  readonly onKey: (event: KeyboardEvent) => void;
};

function StemLink({ stem, index, scale: { x, y }, isFocusable, onPoint, onKey }: StemProps) {
  const { atMs, amount, level, text, href, isOwn } = stem;
  const [cx, cy, zero] = [x(atMs), y(amount ?? 0), y(0)];
  return (
    <Link
      href={href}
      data-at={index}
      tabIndex={isFocusable ? 0 : -1}
      aria-label={text}
      aria-current={isOwn ? 'true' : undefined}
      className={`stem ${level}`}
      onFocus={onPoint}
      onMouseEnter={onPoint}
      onKeyDown={onKey}
    >
      <line x1={cx} x2={cx} y1={zero} y2={cy} />
      {amount === null ? (
        <rect x={cx - 4} y={cy - 4} width={8} height={8} />
      ) : (
        <circle cx={cx} cy={cy} r={isOwn ? 7 : 4.5} />
      )}
    </Link>
  );
}

/** The width of an element, 0 until it is known. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}
