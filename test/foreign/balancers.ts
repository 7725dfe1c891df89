/** nginx and HAProxy as programs of this machine, with the files of deploy/balancers. */
import { spawn, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY, watch } from '../support/risk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

export type Balancer = {
  readonly program: string;
  readonly file: string;
  readonly args: (file: string) => string[];
  /** The whole configuration, of which the file is a part. */
  readonly around: (lines: string, folder: string) => string;
};

export const NGINX: Balancer = {
  program: 'nginx',
  file: 'nginx.conf',
  args: (file) => ['-c', file, '-e', 'stderr', '-g', 'daemon off;'],
  around: (lines, folder) => {
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const temporary = folders.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n');
    return `pid ${folder}/pid; events {} http { access_log off; ${temporary}\n${lines} }`;
  },
};

export const HAPROXY: Balancer = {
  program: 'haproxy',
  file: 'haproxy.cfg',
  args: (file) => ['-db', '-f', file],
  around: (lines) => lines,
};

export const isHere = ({ program }: Balancer) => spawnSync(program, ['-v']).error === undefined;

/** The documented file, with the port of the balancer and the addresses of the APIs. */
async function linesFor({ file }: Balancer, port: number, ports: readonly number[]) {
  const lines = await readFile(join(REPOSITORY, 'deploy/balancers', file), 'utf8');
  const listening = lines.replace(/(listen |bind :)80\b/, (own) => own.replace('80', `${port}`));
  return ports.reduce(
    (file, port, at) => file.replace(`10.0.0.${at + 1}:8080`, `127.0.0.1:${port}`),
    listening,
  );
}

/** Starts a balancer with its documented file, in front of APIs. */
export async function startBalancer(balancer: Balancer, port: number, ports: readonly number[]) {
  const folder = temporaryFolder();
  const file = join(folder, `${balancer.program}.conf`);
  await writeFile(file, balancer.around(await linesFor(balancer, port, ports), folder));
  const running = watch(spawn(balancer.program, balancer.args(file)));
  const isServing = () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(isServing, 5000, `${balancer.program}: ${running.stderr()}`);
  // A killed nginx leaves its workers behind.
  const stop = async () => {
    running.kill('SIGTERM');
    await running.exited;
  };
  return { [Symbol.asyncDispose]: stop };
}
