/** Times of files of Prometheus and of Alertmanager, each multiplied by a factor: at a sixtieth an hour is a minute. */
const MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof MS;

/** The largest unit of which the duration is a whole number. */
export function toDuration(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const unit = (Object.keys(MS) as Unit[]).find((unit) => ms % MS[unit] === 0) ?? 'ms';
  return `${ms / MS[unit]}${unit}`;
}

/** Ranges, offsets, texts that begin with a duration, and the only seconds of late work that a rule compares with. */
const TIMES = /(?<=\[|offset |^)(\d+)(ms|[smhd])\b|(?<=_seconds\) > )300$/g;

/** A value of a YAML file with its times multiplied. */
export const scaleTimes = <T>(value: T, factor: number): T =>
  JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === 'string'
      ? part.replace(TIMES, (seconds, count: string | undefined, unit: Unit) =>
          count === undefined
            ? `${Number(seconds) * factor}`
            : toDuration(((Number(count) * MS[unit]) / 1000) * factor),
        )
      : part,
  );
