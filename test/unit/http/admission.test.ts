/** Who is let in, by count, by bytes, by the event loop and by the database. */
import { describe, expect, test } from 'vitest';
import { createAdmission } from '../../../src/http/admission.ts';

const limits = { requestsMax: 16, bytesMax: 1000, eventLoopDelayMsMax: 100 };

describe('admission', () => {
  test('lets in as many as there are places, of each kind', () => {
    const { enter } = createAdmission(limits, () => true);
    const tickets = Array.from({ length: 17 }, () => enter('submit', 1));
    expect(tickets.filter((ticket) => ticket.refusal === null)).toHaveLength(16);
    expect(tickets.at(-1)?.refusal).toBe('in-flight');
    expect(enter('other', 0).refusal).toBeNull();
    const [first] = tickets;
    if (first?.refusal === null) first.leave();
    expect(enter('submit', 1).refusal).toBeNull();
  });

  test('bounds bytes, but never keeps out one that is alone', () => {
    const { enter } = createAdmission(limits, () => true);
    const large = enter('submit', 5000);
    expect(large.refusal).toBeNull();
    expect(enter('submit', 1).refusal).toBe('bytes');
    if (large.refusal === null) large.leave();
    expect(enter('submit', 600).refusal).toBeNull();
    expect(enter('submit', 400).refusal).toBeNull();
    expect(enter('submit', 1).refusal).toBe('bytes');
  });

  test('takes no submissions while nothing can be committed, and reads all the same', () => {
    const { enter } = createAdmission(limits, () => false);
    expect(enter('submit', 1).refusal).toBe('postgres');
    expect(enter('other', 0).refusal).toBeNull();
  });

  test('lets fewer in while the event loop is late, a quarter at least, and all again afterwards', () => {
    const { enter, adapt } = createAdmission(limits, () => true);
    const fill = () => {
      const tickets = Array.from({ length: 20 }, () => enter('submit', 1));
      const taken = tickets.filter((ticket) => ticket.refusal === null);
      for (const ticket of taken) ticket.leave();
      return taken.length;
    };
    adapt(101);
    expect(fill()).toBe(12);
    for (let n = 0; n < 20; n++) adapt(500);
    expect(fill()).toBe(4);
    adapt(100);
    expect(fill()).toBe(5);
    for (let n = 0; n < 20; n++) adapt(0);
    expect(fill()).toBe(16);
  });
});
