/** Goal: queues of the model behave as theory says, so that its figures come from what it is told and not from its events. */
import { expect, test } from 'vitest';
import { createMachine } from '../../../../bench/model/machine.ts';
import {
  createDisk,
  createSimulation,
  createSlots,
  type Process,
  type Simulation,
} from '../../../../bench/model/simulation.ts';
import { createRandom } from '../../../../src/kit/random.ts';

const random = createRandom('queues');
const exponential = (mean: number) => -Math.log(1 - random()) * mean;

/** Customers at random times; returns the mean time of a visit and the mean number inside. */
function visit(simulation: Simulation, perMs: number, count: number, serve: () => Process) {
  let [inside, area, lastMs, total] = [0, 0, 0, 0];
  const note = (change: number) => {
    area += inside * (simulation.now() - lastMs);
    lastMs = simulation.now();
    inside += change;
  };
  const arrive = (left: number) => {
    if (left === 0) return;
    const began = simulation.now();
    note(1);
    simulation.start(serve(), () => {
      note(-1);
      total += simulation.now() - began;
    });
    simulation.after(exponential(1 / perMs), () => arrive(left - 1));
  };
  arrive(count);
  simulation.run(Number.MAX_SAFE_INTEGER);
  return { meanMs: total / count, meanInside: area / lastMs, perMs: count / lastMs };
}

test('M/M/3: three threads that take turns wait as Erlang says', () => {
  const simulation = createSimulation();
  const machine = createMachine(simulation, { cores: 3, busySpeed: 1 });
  const slots = createSlots(3);
  const free = Array.from({ length: 3 }, () => machine.thread('one'));
  const [offered, servers] = [2.1, 3];
  const { meanMs } = visit(simulation, offered, 60_000, function* () {
    yield slots.take;
    const thread = free.pop() as (typeof free)[number];
    yield thread.work(exponential(1));
    free.push(thread);
    slots.release();
  });
  // Erlang C: terms offered^n / n! of n busy servers.
  const busy = 1 + offered + offered ** 2 / 2;
  const full = (offered ** 3 / 6) * (servers / (servers - offered));
  const expected = 1 + full / (busy + full) / (servers - offered);
  expect(meanMs / expected).toBeCloseTo(1, 1);
});

test('threads share a processor evenly: a visit takes service / (1 - load), whatever services are like', () => {
  const simulation = createSimulation();
  const machine = createMachine(simulation, { cores: 1, busySpeed: 1 });
  const { meanMs } = visit(simulation, 0.7, 60_000, function* () {
    yield machine.thread('one').work(random() < 0.9 ? 0.5 : 5.5);
  });
  expect(meanMs / (1 / 0.3)).toBeCloseTo(1, 1);
});

test('weights share processors out, none of them more than one', () => {
  const simulation = createSimulation();
  const machine = createMachine(simulation, { cores: 2, busySpeed: 1 });
  const ended: Record<string, number> = {};
  for (const [name, weight] of [
    ['heavy', 8],
    ['a', 1],
    ['b', 1],
  ] as const) {
    simulation.start(
      (function* () {
        yield machine.thread(name, weight).work(10);
        ended[name] = simulation.now();
      })(),
    );
  }
  simulation.run(100);
  expect(ended).toEqual({ heavy: 10, a: 15, b: 15 });
});

test('writes that arrive during a flush share the next one', () => {
  const simulation = createSimulation();
  const disk = createDisk(simulation, () => 10);
  const ended: number[] = [];
  for (const atMs of [0, 1, 9, 25]) {
    simulation.after(atMs, () => disk.write(() => ended.push(simulation.now())));
  }
  simulation.run(100);
  expect(ended).toEqual([10, 20, 20, 35]);
  expect(disk.flushes()).toBe(3);
});
