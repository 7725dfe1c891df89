/** Times of rules, each multiplied by a factor: at a sixtieth an hour is a minute. */
import type { RuleFile } from './rules.ts';

const MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof MS;

/** The largest unit of which the duration is a whole number. */
export function toDuration(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const unit = (Object.keys(MS) as Unit[]).find((unit) => ms % MS[unit] === 0) ?? 'ms';
  return `${ms / MS[unit]}${unit}`;
}

/** Ranges and offsets; seconds from which work is late, which are the only 300 that a rule compares with; and whole durations. */
const TIMES = /(?<=\[|offset |^)(\d+)(ms|[smhd])\b|(?<=_seconds\) > )300$/g;

const scale = (text: string, factor: number) =>
  text.replace(TIMES, (seconds, count: string | undefined, unit: Unit) =>
    count === undefined
      ? `${Number(seconds) * factor}`
      : toDuration(((Number(count) * MS[unit]) / 1000) * factor),
  );

export const scaleRules = ({ groups }: RuleFile, factor: number): RuleFile => ({
  groups: groups.map((group) => ({
    ...group,
    interval: scale(group.interval, factor),
    rules: group.rules.map((rule) => ({
      ...rule,
      expr: scale(rule.expr, factor),
      ...('for' in rule ? { for: scale(rule.for ?? '', factor) } : {}),
    })),
  })),
});
