/** Goal: groups are made where the machine has the controllers, in version 1 or 2, and what it lacks is named. */
import { expect, test } from 'vitest';
import { CANNOT_CAP, findPlaces } from '../../../bench/support/cgroup.ts';

const filesOf = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

const V1 = `cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0`;
const V2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0';

test('version 1: below the own group of each controller, or at the mount of a container', () => {
  const own = '5:memory:/jobs/1\n2:cpu,cpuacct:/docker/abc\n0::/';
  const read = filesOf({
    '/sys/fs/cgroup/memory/jobs/1/cgroup.procs': '1',
    '/sys/fs/cgroup/unified/cgroup.controllers': '\n',
  });
  expect(findPlaces(V1, own, read)).toEqual({
    cpu: { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct' },
    memory: { version: 1, folder: '/sys/fs/cgroup/memory/jobs/1' },
  });
});

test('version 2: beside the own group, as a group with processes gives no controllers', () => {
  const read = filesOf({ '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n' });
  const place = { version: 2, folder: '/sys/fs/cgroup/user.slice' };
  expect(findPlaces(V2, '0::/user.slice/session-1.scope', read)).toEqual({
    cpu: place,
    memory: place,
  });
});

test.each([
  ['no control groups', '', {}, 'cpu'],
  ['no controller of memory', V2, { '/sys/fs/cgroup/cgroup.controllers': 'cpu' }, 'memory'],
])('%s', (_, mounts, files, lacking) => {
  const find = () => findPlaces(mounts, '0::/', filesOf(files));
  expect(find).toThrow(expect.objectContaining({ code: CANNOT_CAP }));
  expect(find).toThrow(`the controller '${lacking}'`);
});
