/**
 * Places where a fault test harms the process: `RISK_TEST_FAILPOINT=NAME[:N[:SIGNAL]]` sends it the
 * signal (SIGKILL) on the Nth pass of NAME, and `RISK_TEST_POISON=throw|kill:PREFIX` makes scoring a
 * transaction of an account with that prefix fail, or end the process. Unset, as always outside tests,
 * passing one costs a call of an empty function.
 */

type FailpointName =
  | 'api-before-commit'
  | 'api-after-commit'
  | 'api-after-append'
  | 'api-after-labels-commit'
  | 'worker-after-read'
  | 'worker-after-commit'
  | 'worker-after-dead-letters'
  /** Passed before a leader's write, under the name of its statement, and beside a commit, under that of its first statement. */
  | `leader-${'before' | 'after'}-${string}`
  /** Passed when a step of a rollback is done and not yet written down. */
  | `archive-${string}`;
export type Failpoint = (name: FailpointName) => void;

export const FAILPOINT_VARIABLE = 'RISK_TEST_FAILPOINT';
export const POISON_VARIABLE = 'RISK_TEST_POISON';

/** @param armed value of RISK_TEST_FAILPOINT */
export function createFailpoint(armed: string | undefined): Failpoint {
  if (armed === undefined || armed === '') return () => undefined;
  const [target, passes = '1', signal = 'SIGKILL'] = armed.split(':');
  let left = Number(passes);
  return (name) => {
    if (name === target && --left === 0) process.kill(process.pid, signal);
  };
}

/** Called with the account of each transaction that is scored. */
type Poison = (accountId: string) => void;

/** @param armed value of RISK_TEST_POISON */
export function createPoison(armed: string | undefined): Poison | undefined {
  if (armed === undefined || armed === '') return undefined;
  const [effect, prefix = ''] = armed.split(':');
  return (accountId) => {
    if (!accountId.startsWith(prefix)) return;
    if (effect === 'kill') process.kill(process.pid, 'SIGKILL');
    throw new Error('a test has poisoned this account');
  };
}
