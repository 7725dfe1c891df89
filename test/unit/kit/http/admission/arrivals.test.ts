/** Bodies that are still arriving: their bytes, and which of them gives way. */
import { expect, test } from 'vitest';
import { createArrivals } from '../../../../../src/kit/http/admission/shed.ts';

function open(limits: { bodiesMax: number; bytesMax: number }) {
  let nowMs = 0;
  const arrivals = createArrivals(
    { ...limits, slowMs: 100 },
    () => nowMs,
    () => new Error('gave way'),
  );
  const begin = () => {
    const arrival = arrivals.begin();
    if (arrival === undefined) throw new Error('room was expected');
    return arrival;
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { ...arrivals, pass, first: begin(), second: begin() };
}

test('beyond their bytes the oldest gives way, and nothing is added while all are young', async () => {
  const { pass, first, second } = open({ bodiesMax: 2, bytesMax: 10 });
  expect(first.add(6)).toBe(true);
  expect(second.add(4)).toBe(true);
  expect(second.add(1)).toBe(false);
  pass(100);
  expect(second.add(6)).toBe(true);
  await expect(first.gaveWay).rejects.toThrow('gave way');
  expect(second.add(1)).toBe(false);
  await expect(second.gaveWay).rejects.toThrow('gave way');
});
