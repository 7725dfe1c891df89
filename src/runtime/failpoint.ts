/**
 * Places where a fault test kills the process: `RISK_TEST_FAILPOINT=NAME[:N]` ends it with SIGKILL on
 * the Nth pass of NAME. Unset, as always outside tests, passing one costs a call of an empty function.
 */

export type FailpointName = 'api-after-commit' | 'worker-after-read' | 'worker-after-commit';
export type Failpoint = (name: FailpointName) => void;

export const FAILPOINT_VARIABLE = 'RISK_TEST_FAILPOINT';

/** @param armed value of RISK_TEST_FAILPOINT */
export function createFailpoint(armed: string | undefined): Failpoint {
  if (armed === undefined || armed === '') return () => undefined;
  const [target, passes = '1'] = armed.split(':');
  let left = Number(passes);
  return (name) => {
    if (name === target && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
