/** Goal: what an API process does while it cannot read the controls is what its setting says. */
import { expect, test } from 'vitest';
import { createGate } from '../../../../src/core/accept/gate.ts';
import { controlsOf } from '../../../support/controls.ts';

const controls = (isUnread: boolean) => ({ isUnread: () => isUnread, current: controlsOf });

test.each([
  { whenUnread: 'refuse', isUnread: true, problem: 'controls-unread' },
  { whenUnread: 'refuse', isUnread: false, problem: undefined },
  { whenUnread: 'accept', isUnread: true, problem: undefined },
] as const)('where unread $isUnread, $whenUnread gives $problem', (row) => {
  const gate = createGate(controls(row.isUnread), row.whenUnread);
  expect(gate.closedTo('client', 'US-EG')?.problem).toBe(row.problem);
});
