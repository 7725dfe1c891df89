/** Goal: the smallest quota of the groups around a process counts, of either version, and none means one processor. */
import { expect, test } from 'vitest';
import { processorLimitCores } from '../../../../src/kit/metrics/make-metrics.ts';

const limitOf = (files: Readonly<Record<string, string>>) =>
  processorLimitCores((path) => files[path]);
const OWN = '/proc/self/cgroup';
const V1 = '/sys/fs/cgroup/cpu';

test.each([
  ['no control groups', {}, 1],
  [
    'version 2, in a container',
    { [OWN]: '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' },
    0.5,
  ],
  ['version 2 without a quota', { [OWN]: '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 1],
  [
    'a slice around the own group',
    {
      [OWN]: '0::/a.slice/b.scope\n',
      '/sys/fs/cgroup/a.slice/b.scope/cpu.max': '90000 100000\n',
      '/sys/fs/cgroup/a.slice/cpu.max': '25000 100000\n',
    },
    0.25,
  ],
  [
    'version 1, at the mount of a container',
    {
      [OWN]: '5:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n',
      [`${V1}/cpu.cfs_quota_us`]: '50000\n',
      [`${V1}/cpu.cfs_period_us`]: '100000\n',
    },
    0.5,
  ],
] as const)('%s', (_, files, cores) => {
  expect(limitOf(files)).toBe(cores);
});
