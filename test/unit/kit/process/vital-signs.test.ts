/** Detects a process that lives and does nothing, and a dependency that does not answer. */
import { expect, test } from 'vitest';
import { createLife, createReadiness } from '../../../../src/main/vital-signs.ts';
import { waitUntil } from '../../../support/wait-until.ts';

test('a worker that gives no sign for too long is not alive, and is again at the next sign', async () => {
  const life = createLife(50);
  expect(life.isAlive()).toBe(true);
  await waitUntil(() => !life.isAlive(), 1000, 'silence to be noticed');
  life.sign();
  expect(life.isAlive()).toBe(true);
});

test('readiness asks once a second at most, and takes a refusal and a silence for no', async () => {
  let asked = 0;
  const readiness = createReadiness({
    fine: async () => {
      asked += 1;
      return true;
    },
    refuses: () => Promise.reject(new Error('no')),
    silent: () => new Promise(() => undefined),
  });
  const answers = await Promise.all([readiness(), readiness(), readiness()]);
  expect(answers[2]).toEqual({ fine: true, refuses: false, silent: false });
  expect(asked).toBe(1);
});
