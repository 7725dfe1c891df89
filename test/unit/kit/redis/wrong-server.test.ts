import { expect, test } from 'vitest';
import { createLeave } from '../../../../src/kit/redis/wrong-server.ts';

const WRONG = [
  "READONLY You can't write against a read only replica. script: f1, on @user_script:7.",
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'LOADING Redis is loading the dataset in memory',
  'NOREPLICAS Not enough good replicas to write.',
];
const OWN = [
  "OOM command not allowed when used memory > 'maxmemory'.",
  'NOGROUP No such key or consumer group',
  'CLUSTERDOWN Hash slot not served',
  'ERR the value says READONLY only',
];

test('a connection is left for each answer of a wrong server, at most once a second, and for no other answer', () => {
  for (const message of WRONG) {
    let atMs = 0;
    const leave = createLeave(() => atMs);
    const said = [0, 1, 999, 1000, 1001, 2000].map((ms) => {
      atMs = ms;
      return leave(new Error(message));
    });
    expect(said).toEqual([true, false, false, true, false, true]);
  }
  expect(OWN.map((message) => createLeave()(new Error(message)))).toEqual(OWN.map(() => false));
});
