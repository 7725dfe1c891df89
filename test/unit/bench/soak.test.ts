/** Goal: a soak with faults judges what lies outside of the faults, and growth beside caches. */
import { expect, test } from 'vitest';
import { growthOf } from '../../../bench/support/soak-with-faults.ts';
import { outside } from '../../../bench/support/strikes.ts';

const window = (fromMs: number, toMs: number) => ({ fromMs, toMs });

test('windows are cut out of a time, whether they overlap, touch or lie beyond it', () => {
  const time = window(100, 200);
  expect(outside(time, [])).toEqual([time]);
  expect(outside(time, [window(120, 130), window(125, 150)])).toEqual([
    window(100, 120),
    window(150, 200),
  ]);
  expect(outside(time, [window(50, 110), window(190, 300)])).toEqual([window(110, 190)]);
  expect(outside(time, [window(0, 100), window(200, 300)])).toEqual([time]);
  expect(outside(time, [window(0, 300)])).toEqual([]);
});

test('growth is that of a life beside its caches and between faults, in MiB an hour', () => {
  const minutes = 60;
  const fault = { fromMs: 40 * 60_000, toMs: 41 * 60_000 };
  const looks = Array.from({ length: minutes * 60 }, (_, second) => {
    const caches = second / 60;
    // A start takes 100 MiB within 15 minutes, a leak adds 6 an hour, the collector makes saw-teeth, and a fault leaves 30.
    const step = second * 1000 > fault.fromMs ? 30 : 0;
    const beside = Math.min(100, second / 9) + (6 * second) / 3600 + (second % 20) + step;
    return { atMs: second * 1000, resident: caches + beside, caches };
  });
  const { judgedMs, perHour } = growthOf({ name: 'worker-2', looks }, [fault]);
  expect(judgedMs).toBe(44 * 60_000);
  expect(perHour).toBeCloseTo(6, 1);
});
