/** The metrics of a role, read at /metrics: counters and gauges summed over their labels. */
import type { RoleProcess } from './role-process.ts';

export type MetricSample = {
  /** 0 where there is no such metric. */
  readonly sum: (name: string, labels?: Readonly<Record<string, string>>) => number;
  /** The names of all samples. */
  readonly names: () => string[];
};

/** @param apiKey an API asks for one, and a worker does not */
export async function readMetrics(
  role: RoleProcess,
  signal: AbortSignal,
  apiKey?: string,
): Promise<MetricSample> {
  const headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${role.url}/metrics`, { signal, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${role.name}: /metrics answered ${response.status}`);
  return { sum: (name, labels) => sumMetric(text, name, labels), names: () => metricNames(text) };
}

/** Names in the Prometheus text format, each once. */
export function metricNames(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/^[a-z]\w*/gm), ([name]) => name))];
}

/** All samples of exactly this name that have these labels, in the Prometheus text format. */
export function sumMetric(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !wanted.every((label) => line.includes(label))) continue;
    const [, value] = /^(?:\{.*\})? (\S+)/.exec(line.slice(name.length)) ?? [];
    if (value !== undefined) sum += Number(value);
  }
  return sum;
}
