/** Goal: a clone has everything that its first `npm start` needs on any machine. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { LONG, MOCKING } from '../../vitest.config.ts';
import { REPOSITORY } from '../support/risk.ts';
import { readSources } from '../support/source-files.ts';

type Package = {
  resolved?: string;
  integrity?: string;
  version?: string;
  link?: boolean;
  hasInstallScript?: boolean;
  os?: string[];
  libc?: string[];
};
type Manifest = {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');
const manifest: Manifest = JSON.parse(read('package.json'));
const lockfile: { packages: Record<string, Package> } = JSON.parse(read('package-lock.json'));
const packages = Object.entries(lockfile.packages).filter(([path]) => path !== '');

/** True for packages that may be installed on the engine's machines: Linux with glibc. */
function isForUs({ os, libc }: Package): boolean {
  return (os?.includes('linux') ?? true) && (libc?.includes('glibc') ?? true);
}

test('package-lock.json pins every package by hash and none to a host', () => {
  expect(packages.length).toBeGreaterThan(50);
  const bad = packages.filter(
    ([, entry]) => entry.resolved !== undefined || (isForUs(entry) && !entry.integrity),
  );
  expect(bad.map(([path]) => path)).toEqual([]);
});

test('package.json names exact versions, the ones of the lockfile', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const named = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  const different = named.filter(
    ([name, version]) => lockfile.packages[`node_modules/${name}`]?.version !== version,
  );
  expect(different).toEqual([]);
});

test('every package with an install script is denied it by name', () => {
  const scripted = packages.filter(([, entry]) => entry.hasInstallScript);
  const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(names.filter((name) => manifest.allowScripts[name] !== false)).toEqual([]);
});

test.each(['bin/risk', 'bin/check', '.ci/run'])('%s is executable', (path) => {
  expect(() => accessSync(join(REPOSITORY, path), constants.X_OK)).not.toThrow();
});

test('the environment is read in one file only', () => {
  const readers = readSources('src', /\.ts$/).filter(({ text }) => /\bprocess\.env\b/.test(text));
  expect(readers.map(({ path }) => path)).toEqual(['src/kit/config/config.ts']);
});

test('a test that replaces a module has a process of its own', () => {
  const mocking = readSources('test', /\.ts$/).filter(({ text }) =>
    /\bvi\.(do)?mock\(/i.test(text),
  );
  expect(mocking.length).toBeGreaterThan(0);
  const shared = mocking.filter(({ path }) => !MOCKING.some((glob) => matchesGlob(path, glob)));
  expect(shared.map(({ path }) => path)).toEqual([]);
});

test('unit tests stand where the source that they test stands', () => {
  const ofOther = /^test\/unit\/(bench|console|docs|ship)\//;
  const places = readSources('test/unit', /\.test\.ts$/)
    .map(({ path }) => dirname(path))
    .filter((folder) => !ofOther.test(`${folder}/`));
  const missing = places.filter(
    (folder) => !existsSync(join(REPOSITORY, folder.replace('test/unit', 'src'))),
  );
  expect([...new Set(missing)]).toEqual([]);
});

/** Words of a list of `bin/check`. */
function listOf(name: string): string[] {
  const [, list = ''] = new RegExp(`^${name}='([^']+)'`, 'm').exec(read('bin/check')) ?? [];
  const words = list.trim().split(/\s+/);
  expect(words.length).toBeGreaterThan(4);
  return words;
}

test('what `npm test` does in part, `npm run long` does as a whole', () => {
  const inPart = readSources('test', /\.test\.ts$/)
    .filter(({ text }) => /support\/thorough\.ts|'PROPERTY_RUNS'/.test(text))
    .map(({ path }) => path)
    .filter((path) => path !== 'test/unit/repository.test.ts');
  const listed = listOf('in_part');
  expect(inPart.filter((path) => !listed.some((name) => path.includes(name)))).toEqual([]);
  expect(listed.filter((name) => !inPart.some((path) => path.includes(name)))).toEqual([]);
});

test('a file of tests that is named to start early, or to run on another Postgres, exists once', () => {
  const differing = listOf('differing');
  const paths = readSources('test', /\.test\.ts$/).map(({ path }) => path);
  const found = (name: string, folder: string) =>
    paths.filter((path) => path.startsWith(folder) && path.includes(name)).length;
  const counts = [
    ...LONG.map((name) => [name, found(name, 'test/')] as const),
    ...differing.map((name) => [name, found(name, 'test/integration/')] as const),
  ];
  expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
});
