/** Goal: `bin/risk` can be called from anywhere and answers each mistake with its exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childEnvironment, REPOSITORY, type RiskProcess, watch } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { folderOfFile } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const elsewhere = folderOfFile();

function start(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): RiskProcess {
  return watch(spawn(program, args, { cwd: elsewhere, env: childEnvironment(environment) }));
}

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  await using risk = start(join(REPOSITORY, 'bin/risk'), args, environment);
  const { code } = await risk.exited;
  return { code, stdout: risk.stdout(), stderr: risk.stderr() };
}

test('risk --help lists every command, from another folder and through links', async () => {
  const relative = join(elsewhere, 'relative-link');
  const link = join(elsewhere, 'risk');
  symlinkSync(join(REPOSITORY, 'bin/risk'), relative);
  symlinkSync('relative-link', link);
  await using risk = start(link, ['--help']);
  expect(await risk.exited).toEqual({ code: 0, signal: null });
  for (const name of [
    'start',
    'api',
    'worker',
    'trainer',
    'migrate',
    'doctor',
    'replay',
    'verify',
  ]) {
    expect(risk.stdout()).toMatch(new RegExp(`^ {2}${name} +[A-Z].*\\.$`, 'm'));
  }
});

test('risk answers usage errors with 2, and the reason alone on standard error', async () => {
  expect(await run(['nonsense'])).toMatchObject({ code: 2, stdout: '' });
  expect((await runRisk([])).code).toBe(2);
  const flag = await runRisk(['doctor', '--wat']);
  expect(flag).toMatchObject({ code: 2, stdout: '' });
  expect(flag.stderr).toMatch(
    /^risk doctor: there is no option --wat; there are --.*; see risk doctor --help\n$/,
  );
});

test('the help of a role names the settings that it needs', async () => {
  for (const [role, port] of [
    ['api', 'PORT'],
    ['worker', 'RISK_WORKER_PORT'],
    ['trainer', 'RISK_WORKER_PORT'],
  ] as const) {
    const { code, stdout } = await runRisk([role, '--help']);
    expect(code).toBe(0);
    const redis = role === 'trainer' ? [] : ['REDIS_URL'];
    for (const name of ['DATABASE_URL', ...redis, port, 'RISK_MARKET'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
    expect(stdout).toContain('docs/reference.md#settings');
  }
});

test('risk lists all problems of its configuration at once and exits 78', async () => {
  const { code, stdout, stderr } = await run(['doctor'], {
    PORT: '99999',
    DATABASE_URL: 'mysql://x',
    RISK_NO_SUCH: '1',
    RISK_DATABASE_CONNECTIONS_MAX: '1',
  });
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  for (const name of ['PORT', 'DATABASE_URL', 'RISK_NO_SUCH', 'RISK_DATABASE_CONNECTIONS_MAX']) {
    expect(stderr).toContain(name);
  }
  const api = await runRisk(['api'], { PORT: 'x', RISK_DATA_DIR: elsewhere });
  expect(api).toMatchObject({ code: 78, stdout: '' });
  for (const name of ['PORT', 'DATABASE_URL', 'REDIS_URL']) expect(api.stderr).toContain(name);
  const stores = { PORT: 'x', DATABASE_URL: 'postgres://127.0.0.1:1/x' };
  const keys = await runRisk(['keys', 'list'], stores);
  expect([keys.code, keys.stderr.includes('_URL')]).toEqual([78, false]);
  const help = await runRisk(['doctor', '--help'], { PORT: '99999' });
  expect(help.code).toBe(0);
});

test('bin/risk start says before it installs anything that its port is taken', async () => {
  const clone = join(elsewhere, 'clone');
  cpSync(join(REPOSITORY, 'bin'), join(clone, 'bin'), { recursive: true });
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  const server = createServer().listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const PORT = String(Object(server.address()).port);
    await using risk = start(join(clone, 'bin/risk'), ['start'], { PORT });
    expect((await risk.exited).code).toBe(1);
    expect(risk.stderr()).toBe(
      `risk start: port ${PORT} is taken; set PORT to a free one, or leave it unset\n`,
    );
  } finally {
    server.close();
  }
});

test('bin/risk becomes the engine: the process it was started as is Node itself', async () => {
  // A server that never answers keeps the command alive long enough to inspect it.
  await using risk = start(join(REPOSITORY, 'bin/risk'), ['api'], {
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    REDIS_URL: 'redis://127.0.0.1:1',
  });
  const program = await waitUntil(() => {
    const link = readlinkSync(`/proc/${risk.pid}/exe`);
    return link.endsWith('node') ? link : undefined;
  }, 10_000);
  expect(program).toMatch(/node$/);
});
