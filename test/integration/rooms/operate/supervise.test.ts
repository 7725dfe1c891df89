/**
 * Goal: the supervisor adds workers while a backlog stays, drains and removes them in calm, never below its least number,
 * starts a killed one again, and takes all with it when it ends, whatever ends it. Method: the supervisor and its workers are
 * processes; the minutes of triggers pass 240 times as fast; a locked table holds the backlog, and its release ends it.
 */
import { beforeEach, expect, test } from 'vitest';
import { listReports } from '../../../../src/core/stream/status/workers.ts';
import { createLog } from '../../../../src/kit/metrics/log.ts';
import { superviseRole } from '../../../../src/rooms/operate/commands/supervise.ts';
import { type RiskProcess, spawnRisk } from '../../../support/risk.ts';
import { THOROUGH } from '../../../support/thorough.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../../../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
  return () => rig[Symbol.asyncDispose]();
});

function spawnSupervisor(...options: string[]): RiskProcess {
  const quick = { RISK_TEST_TIME_FACTOR: '240', LOG_LEVEL: 'info' };
  return spawnRisk(['supervise', ...options], { ...rig.environment, ...quick });
}

type Line = Readonly<Record<string, string | number>>;
/** Lines of the supervisor and its workers that say `text`. */
const linesOf = (supervisor: RiskProcess, text: string): Line[] =>
  supervisor
    .stderr()
    .split('\n')
    .filter((line) => line.includes(`"msg":"${text}"`))
    .map((line) => JSON.parse(line));
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pidsOf = (supervisor: RiskProcess) =>
  linesOf(supervisor, 'worker starts').map(({ pid }) => Number(pid));
const untilStarted = (supervisor: RiskProcess, count: number) =>
  waitUntil(
    () => (pidsOf(supervisor).length >= count ? pidsOf(supervisor) : undefined),
    20_000,
    `${count} workers: ${supervisor.stderr()}`,
  );

// The triggers have a test of their own, which `npm test` runs: test/unit/rooms/operate/scaler.test.ts.
test.runIf(THOROUGH)(
  'a backlog brings workers one by one, and its end takes all but one away after their drain',
  async () => {
    await using supervisor = spawnSupervisor('--workers', '1..3');
    await untilStarted(supervisor, 1);
    const transactions = await rig.store(seeds(1500));
    await rig.pool.transaction(async (query) => {
      await query({ text: 'lock table market.scores in access exclusive mode' });
      await rig.openRows(transactions);
      await rig.append(transactions);
      await untilStarted(supervisor, 3);
      expect(linesOf(supervisor, 'more')).toMatchObject([
        { trigger: 'DeepQueue', from: 1 },
        { trigger: 'DeepQueue', from: 2 },
      ]);
    });
    await rig.settled(1500);
    await waitUntil(() => linesOf(supervisor, 'worker has drained').length === 2, 60_000, 'drains');
    expect(linesOf(supervisor, 'fewer')).toMatchObject([
      { trigger: 'LowQueueDepth', from: 3 },
      { trigger: 'LowQueueDepth', from: 2 },
    ]);
    const [oldest = 0, ...others] = pidsOf(supervisor);
    await waitUntil(() => !others.some(isAlive), 5000, 'the ends');
    expect(isAlive(oldest)).toBe(true);
    supervisor.kill('SIGTERM');
    expect(await supervisor.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(oldest)).toBe(false);
    const { reports } = await listReports(rig.commands, rig.database.market);
    const last = new Map(reports.map(({ report }) => [report.name, report.isDraining]));
    expect([...last.values()]).toEqual([true, true, true]);
  },
);

test('a killed worker comes back, and a killed supervisor leaves neither worker nor trainer behind', async () => {
  await using supervisor = spawnSupervisor('--workers', '1..1');
  const [first = 0] = await untilStarted(supervisor, 1);
  process.kill(first, 'SIGKILL');
  const [, second = 0] = await untilStarted(supervisor, 2);
  expect(linesOf(supervisor, 'worker ended by itself: starting it again')).toMatchObject([
    { how: 'SIGKILL' },
  ]);
  const [trainer] = linesOf(supervisor, 'trainer starts').map(({ pid }) => Number(pid));
  supervisor.kill('SIGKILL');
  const ended = () => ![second, trainer ?? process.pid].some(isAlive);
  await waitUntil(ended, 10_000, 'the ends of the worker and the trainer');
});

const superviseHere = (environment: Readonly<Record<string, string>>, deafMs = 60_000) => {
  const lines: string[] = [];
  const log = createLog('supervise', 'info', { write: (line) => void lines.push(line) });
  const options = { role: 'worker', drainMs: 5000, deafMs, log, isRefusal: () => false } as const;
  return { lines, ...superviseRole({ ...options, environment }) };
};

test.each([
  ['cannot be started', { NAME: '\0' }, 'null bytes'],
  ['refuses a configuration that it had before', { RISK_NONE: 'x' }, 'exit code 78'],
])('a worker that %s is tried again', async (_, environment, how) => {
  const given = { ...rig.environment, PATH: process.env['PATH'] ?? '', ...environment };
  const worker = superviseHere(given);
  const isAgain = () => worker.lines.filter((line) => line.includes(how)).length >= 2;
  await waitUntil(isAgain, 20_000, `a second try: ${worker.lines}`).finally(worker.stop);
});

test.runIf(THOROUGH)('a worker that gives no sign of life is killed, and comes back', async () => {
  const given = { ...rig.environment, PATH: process.env['PATH'] ?? '' };
  const worker = superviseHere(given, 8000);
  try {
    const reports = async () => (await listReports(rig.commands, rig.database.market)).reports;
    await waitUntil(async () => (await reports()).length > 0, 20_000, 'a worker');
    const first = worker.pid() ?? 0;
    process.kill(first, 'SIGSTOP');
    await waitUntil(() => worker.lines.some((line) => line.includes('no sign')), 20_000, 'its end');
    const isBack = () => ![undefined, first].includes(worker.pid());
    await waitUntil(isBack, 20_000, 'another worker');
    expect(worker.lines.join('')).toContain('"how":"SIGKILL"');
  } finally {
    await worker.stop();
  }
});

test('ports that the last worker could not have are refused at the start, and not at the spike', async () => {
  const environment = { ...rig.environment, RISK_WORKER_PORT: '65533' };
  await using supervisor = spawnRisk(['supervise', '--workers', '1..4'], environment);
  const said = () => linesOf(supervisor, 'worker starts').length > 0 || supervisor.hasExited();
  await waitUntil(said, 20_000, 'a worker or the end');
  supervisor.kill('SIGTERM');
  expect((await supervisor.exited).code).toBe(78);
  expect(supervisor.stderr()).toContain('RISK_WORKER_PORT must be at most 65532');
});
