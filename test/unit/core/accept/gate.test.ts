/** Goal: what an API process does while it cannot read the switches is what its setting says. */
import { expect, test } from 'vitest';
import { createGate } from '../../../../src/core/accept/gate.ts';

const switches = (isUnread: boolean) => ({
  isUnread: () => isUnread,
  current: () => ({
    ...{ version: 1, stopped: new Map(), settings: new Map() },
    ...{ fields: new Map(), elsewhere: new Map(), clockMs: 0 },
  }),
});

test.each([
  { whenUnread: 'refuse', isUnread: true, problem: 'switches-unread' },
  { whenUnread: 'refuse', isUnread: false, problem: undefined },
  { whenUnread: 'accept', isUnread: true, problem: undefined },
] as const)('where unread $isUnread, $whenUnread gives $problem', (row) => {
  const gate = createGate(switches(row.isUnread), row.whenUnread);
  expect(gate.closedTo('client', 'US-EG')?.problem).toBe(row.problem);
});
