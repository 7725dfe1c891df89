/**
 * Goal: `risk start` does the main job on a machine with nothing prepared: services, schema, roles,
 * sample, ledger; a second start repeats nothing; a role that dies is started again; Ctrl-C leaves nothing
 * running. Method: the real command as a child, on a data folder of its own; as few starts as show it, because each costs five
 * seconds of processor time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { API_NICENESS } from '../../src/tools/start/services/raise-priority.ts';
import { runRiskProcess, spawnRisk } from '../support/risk.ts';
import { rolePid } from '../support/role-pid.ts';
import { makeTestFolder } from '../support/service-folder.ts';

/** The niceness of a process within its session, and of the session among sessions. */
const rank = (niceness: number) => ({ own: niceness, session: niceness });

function rankOf(pid: number) {
  const own = getPriority(pid);
  const file = `/proc/${pid}/autogroup`;
  if (!existsSync(file)) return rank(own);
  return { own, session: Number(/nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1]) };
}

/** CAP_SYS_NICE, bit 23 of the effective capabilities. */
function mayRaisePriority(): boolean {
  const [, hex = '0'] = /CapEff:\s+(\w+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${hex}`) >> 23n) & 1n) === 1n;
}

/** Fields of the ledger line of `risk start`. */
function ledgerOf(stdout: string): Record<string, number> {
  const line = /^ledger .*$/m.exec(stdout)?.[0] ?? '';
  expect(line).toMatch(
    /^ledger accepted=\d+ duplicates=\d+ scored=\d+ dead_lettered=\d+ pending=\d+ lost=-?\d+ doubled=\d+ seconds=\d+(\.\d+)? tx_per_second=\d+ p50_ms=\d+ p99_ms=\d+$/,
  );
  const fields = line.split(' ').slice(1);
  return Object.fromEntries(
    fields.map((field) => [field.split('=')[0], Number(field.split('=')[1])]),
  );
}

/** Two posts of a client. */
const TRANSACTIONS = 1_100;
const START_MS = 90_000;
let folder: string;
let environment: Record<string, string>;

beforeAll(() => {
  folder = makeTestFolder();
  environment = { RISK_DATA_DIR: join(folder, 'data') };
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** The request and the addresses that the screen shows; and that every line but the request has no key. */
function whereToLook(risk: { stdout: string; stderr: string }) {
  const [request = '', key = ''] =
    /^curl -sH 'Authorization: Bearer (\S+)' \\\n {2}'http:\S+'$/m.exec(risk.stdout) ?? [];
  const addresses = [...risk.stdout.matchAll(/^ {2}(http:\S+\/console\/transactions\/\S+)$/gm)];
  const [, docs = ''] = /^Open (http:\S+\/docs) /m.exec(risk.stdout) ?? [];
  expect(risk.stderr + risk.stdout.replace(request, '')).not.toContain(key);
  return { request, key, docs, addresses: addresses.map(([, address = '']) => address) };
}

function startOnce() {
  return runRiskProcess(['start', '--once', '--transactions', String(TRANSACTIONS)], environment);
}

describe('risk start', () => {
  test('--once scores the sample and exits 0 after the ledger', async () => {
    const { code, stdout, stderr } = await startOnce();
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^ledger /);
    expect(stderr).toContain('nothing lost, nothing scored twice');
    expect(stderr).toMatch(/Accepted to scored: .* in a backlog/);
    expect(whereToLook({ stdout, stderr }).addresses).toHaveLength(5);
    expect(stdout).toMatch(
      /^The scorecard of \S+ knows \d+ of 50 frauds: http\S+\/console\/scorecards$/m,
    );
    expect(ledgerOf(stdout)).toMatchObject({
      ...{ accepted: TRANSACTIONS, duplicates: 0, scored: TRANSACTIONS },
      ...{ dead_lettered: 0, pending: 0, lost: 0, doubled: 0 },
    });
    expect(code).toBe(0);
    expect(statSync(join(folder, 'data', 'api-key')).mode & 0o777).toBe(0o600);
  });

  test('a second start finds only duplicates, starts killed roles again, and leaves nothing behind after Ctrl-C', async () => {
    const PORT = String(await freePort());
    const start = ['start', '--transactions', String(TRANSACTIONS)];
    await using risk = spawnRisk(start, { ...environment, PORT });
    await risk.waitFor(/Serving/, START_MS);
    expect(ledgerOf(risk.stdout())).toMatchObject({
      ...{ accepted: 0, duplicates: TRANSACTIONS, scored: 0, lost: 0, doubled: 0 },
    });
    const shown = whereToLook({ stdout: risk.stdout(), stderr: risk.stderr() });
    const headers = { authorization: `Bearer ${shown.key}` };
    const ask = (address: string) => fetch(address, { headers });
    expect((await ask(shown.docs)).status).toBe(200);
    expect(shown.addresses).toHaveLength(5);
    for (const address of shown.addresses) expect((await ask(address)).status).toBe(200);
    if (hasCurl) {
      const answer = JSON.parse(execFileSync('sh', ['-c', shown.request], { encoding: 'utf8' }));
      const ids = answer.items.map((item: { transaction_id: string }) => item.transaction_id);
      expect(shown.addresses.map((address) => address.split('/').at(-1))).toEqual(ids);
    }
    // Commands find the key of their own clone.
    expect(await runRiskProcess(['status', '--json'], environment)).toMatchObject({ code: 0 });
    const engine = JSON.parse(readFileSync(join(folder, 'data', 'engine.json'), 'utf8'));
    expect((await fetch(`${engine.workerUrl}/metrics`)).status).toBe(200);
    const second = await startOnce();
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`pid ${risk.pid}`);

    const killed = [rolePid(risk, 'api'), rolePid(risk, 'worker')];
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await risk.waitFor(
      /T[\d:.]+Z worker ended by itself \(SIGKILL\): starting it again in \S+ s; log in \S+worker\.log/,
      START_MS,
    );
    await risk.waitFor(/worker is back/, START_MS);
    await risk.waitFor(/api is back/, START_MS);
    expect(killed).not.toContain(rolePid(risk, 'worker'));
    expect(rankOf(rolePid(risk, 'api'))).toEqual(mayRaisePriority() ? rank(API_NICENESS) : rank(0));
    // A child has the niceness of these tests, in a session of its own.
    expect(rankOf(rolePid(risk, 'worker'))).toEqual({ own: getPriority(), session: 0 });
    expect(getPriority(rolePid(risk, 'trainer'))).toBeGreaterThanOrEqual(10);
    expect((await fetch(shown.docs)).status).toBe(200);
    // The steps in the background also go on after the loss of the API.
    const [ended] = await risk.waitFor(
      /The sample is complete|the sample is not complete.*/,
      START_MS,
    );
    expect(ended).toBe('The sample is complete');

    risk.kill('SIGINT');
    expect(await risk.exited).toEqual({ code: 0, signal: null });
    await expect(ask(shown.docs)).rejects.toThrow();
  });
});
