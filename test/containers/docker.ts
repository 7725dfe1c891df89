/** A Docker engine of the suite's own, with compose: its folders, its socket, and an end with the suite. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findExecutable } from '../../src/tools/start/services/executable.ts';
import { cache, fetchBy, need } from '../fuzz/programs.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Releases before 2.24 know no `required` of `env_file`. */
const COMPOSE = 'v2.27.0';
const PROGRAMS = ['dockerd', 'docker', 'debootstrap', 'go'];
const START_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** @returns why no engine can be started on this machine */
export function whyNoDocker(): string | undefined {
  const missing = PROGRAMS.filter(
    (name) => findExecutable(name, process.env['PATH']) === undefined,
  );
  if (missing.length > 0)
    return `this machine has no ${missing.join(', ')}, of which containers are made`;
  if (process.getuid?.() !== 0) return 'dockerd runs as root alone';
  const isBusy = existsSync('/var/run/docker.sock') && (process.env['CI'] ?? '') === '';
  return isBusy
    ? 'another Docker engine has the networks of this machine: stop it first'
    : undefined;
}

export type Docker = Awaited<ReturnType<typeof openDocker>>;

export async function openDocker(folder: string) {
  const [socket, config] = [join(folder, 'docker.sock'), join(folder, 'config')];
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  symlinkSync(await findCompose(), join(config, 'cli-plugins', 'docker-compose'));
  writeFileSync(join(folder, 'daemon.json'), '{}');
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: config };
  const logFile = join(folder, 'dockerd.log');
  const log = openSync(logFile, 'a');
  /** Containers that the kernel ended for want of memory. */
  const killed: string[] = [];
  let daemon: ChildProcess | undefined;

  const run = async (args: readonly string[], cwd?: string): Promise<string> => {
    const options = { env, cwd, maxBuffer: OUTPUT_BYTES_MAX };
    return (await promisify(execFile)('docker', args, options)).stdout.trim();
  };
  const start = async () => {
    const folders = ['--data-root', join(cache, 'docker'), '--exec-root', join(folder, 'exec')];
    const files = ['--pidfile', join(folder, 'pid'), '--config-file', join(folder, 'daemon.json')];
    const args = [...folders, ...files, '-H', env.DOCKER_HOST];
    const started = spawn('dockerd', args, { stdio: ['ignore', log, log] });
    daemon = started;
    const isUp = () => {
      if (started.exitCode !== null) throw new Error(readFileSync(logFile, 'utf8'));
      return run(['version']).catch(() => undefined);
    };
    await waitUntil(isUp, START_MS, 'dockerd');
    const watched = ['events', '--filter', 'event=oom', '--format', '{{.Actor.Attributes.name}}'];
    const events = spawn('docker', watched, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    events.stdout.on('data', (names) => killed.push(...String(names).trim().split('\n')));
  };
  /** Containers end in good order with their engine. */
  const stop = async () => {
    const ended = new Promise((resolve) => daemon?.once('exit', resolve));
    if (daemon?.exitCode !== null || !daemon.kill('SIGTERM')) return;
    await ended;
  };
  const list = async (...args: string[]) =>
    (await run([...args, '--quiet'])).split('\n').filter(Boolean);
  const removeAll = async () => {
    for (const id of await list('ps', '--all')) await run(['rm', '--force', id]);
    for (const name of await list('volume', 'ls')) await run(['volume', 'rm', name]);
  };
  await start();
  // An earlier run may have been killed.
  await removeAll();
  return {
    ...{ run, list, killed },
    restart: async () => {
      await stop();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await removeAll().catch(() => undefined);
      await stop();
    },
  };
}

/** The plugin is a Go module. @throws NotRun where the module cannot be had */
async function findCompose(): Promise<string> {
  const folder = join(cache, `compose-${COMPOSE}`);
  const program = join(folder, 'cmd');
  if (!existsSync(program))
    await fetchBy(need('go'), ['install', `github.com/docker/compose/v2/cmd@${COMPOSE}`], {
      GOBIN: folder,
    });
  return program;
}
