/** Admission by count, by bytes, by duration and by the state of Postgres. */
import { expect, test } from 'vitest';
import {
  type Admission,
  createAdmission,
} from '../../../../../src/kit/http/admission/admission.ts';

const limits = { requestsMax: 64, bytesMax: 1000 };

/** Admits as many submissions as possible, and lets them leave. */
function fill({ enter }: Admission, tookMs: number | null = null): number {
  const tickets = Array.from({ length: 100 }, () => enter('submit', 1));
  const taken = tickets.flatMap((ticket) => (ticket.refusal === null ? ticket : []));
  for (const ticket of taken) ticket.leave(tookMs);
  return taken.length;
}

test('a place that is lent is taken by another request, and taken back while a place is free', () => {
  const { enter } = createAdmission({ ...limits, requestsMax: 1 }, () => true);
  const first = enter('submit', 1);
  if (first.refusal !== null) throw new Error('a place was expected');
  first.lend();
  const second = enter('submit', 1);
  if (second.refusal !== null) throw new Error('the lent place was expected');
  expect(first.takeBack(1)).toBe('in-flight');
  first.leave(null);
  expect(enter('submit', 1).refusal).toBe('in-flight');
  second.lend();
  expect(second.takeBack(1)).toBeNull();
  second.leave(null);
  expect(enter('submit', 1).refusal).toBeNull();
});

test('admission lets fewer in while the event loop is late, 16 at least, and all again afterwards', () => {
  const admission = createAdmission(limits, () => true);
  admission.enter('other', 0);
  admission.adapt(101);
  expect(fill(admission)).toBe(45);
  for (let n = 0; n < 4; n++) admission.adapt(101);
  expect(fill(admission)).toBe(45);
  for (let n = 0; n < 50; n++) admission.adapt(500);
  expect(fill(admission)).toBe(16);
  // Near the knee the limit grows by a few slots a second, far from it to the full limit in two seconds.
  for (let n = 0; n < 10; n++) admission.adapt(100);
  expect(fill(admission)).toBe(20);
  for (let n = 0; n < 20; n++) admission.adapt(50);
  expect(fill(admission)).toBe(64);
});

test('admission lets in as many as can be answered in time once submissions take long', () => {
  const admission = createAdmission(limits, () => true);
  fill(admission, 1000);
  admission.adapt(0);
  expect(fill(admission)).toBe(32);
  for (let n = 0; n < 5; n++) admission.adapt(100);
  fill(admission, 60_000);
  admission.adapt(0);
  expect(fill(admission)).toBe(16);
});

test('admission lets fewer in while submissions take long; what says nothing changes nothing', () => {
  const admission = createAdmission(limits, () => true);
  fill(admission, 500);
  admission.adapt(0);
  expect(fill(admission, null)).toBe(64);
  fill(admission, 501);
  admission.adapt(0);
  expect(fill(admission)).toBe(45);
  expect(Array.from({ length: 64 }, () => admission.enter('other', 0).refusal)).toEqual(
    new Array(64).fill(null),
  );
});

test('admission lets no more in while nobody knows how long those under way will take', () => {
  const admission = createAdmission(limits, () => true);
  fill(admission, 1000);
  admission.adapt(0);
  expect(fill(admission)).toBe(32);
  admission.adapt(0);
  const ticket = admission.enter('submit', 1);
  if (ticket.refusal !== null) throw new Error('there was a place');
  for (let n = 0; n < 20; n++) admission.adapt(0);
  expect(fill(admission)).toBeLessThan(40);
  ticket.leave(1);
  for (let n = 0; n < 20; n++) admission.adapt(0);
  expect(fill(admission)).toBe(64);
});
