/** The table of README.md and docs/performance.md: a row a run of `end-to-end`. */
import type { Row } from '../../src/kit/command/output.ts';
import type { BenchReport } from './bench.ts';
import type { CpuRow } from './cpu-by-role.ts';
import { formatNumber } from './report-text.ts';

export const BARE_CEILING = 'the bare pipeline with the same load: no scoring, profiles or checks';
export const CPU_TITLE = 'processor time by role';
const ROLES: readonly CpuRow['role'][] = ['api', 'workers', 'postgres', 'redis', 'together'];

export function endToEndTable(reports: readonly BenchReport[]): Row[] {
  return reports.map(({ caseName, inputs, perSecond, figures, ceilings, tables }) => {
    const figure = (name: string) => formatNumber(figures[name] ?? Number.NaN);
    const whole = (name: string) => formatNumber(Math.round(figures[name] ?? Number.NaN));
    const bare = ceilings.find(({ name }) => name === BARE_CEILING);
    const cpu = tables.find(({ title }) => title === CPU_TITLE)?.rows ?? [];
    const us = ROLES.map((role) => cpu.find((row) => row['role'] === role)?.['us_per_transaction']);
    return {
      load: [
        caseName,
        ...(inputs['model'] === 'none' ? [] : [inputs['model']]),
        ...(inputs['workers'] === 1 ? [] : [`${inputs['workers']} workers`]),
      ].join(', '),
      'scored a second': formatNumber(Math.round(perSecond)),
      'slowest 5 s': whole('slowest_5s_per_second'),
      'by the bare pipeline': bare === undefined ? '' : (perSecond / bare.perSecond).toFixed(2),
      'µs: API, workers, Postgres, Redis, all': us.join(', '),
      'accepted to stored, p50 / p99': `${whole('accepted_to_stored_p50_ms')} / ${whole('accepted_to_stored_p99_ms')} ms`,
      'lost, scored twice': `${figure('lost')}, ${figure('doubled')}`,
    };
  });
}
