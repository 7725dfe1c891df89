/**
 * Goal: core imports kit, rooms import core and kit, and no room imports another. Method: every import of every source
 * file is compared with the tables below.
 */
import { expect, test } from 'vitest';
import { importsOf } from '../support/imports.ts';
import { readSources } from '../support/source-files.ts';

type Zone = 'core' | 'kit' | 'rooms' | 'tools';

/** Zones whose files a file of a zone may import; a room imports none of another room. */
const MAY_IMPORT: Readonly<Record<Zone, readonly string[]>> = {
  kit: ['kit'],
  core: ['core', 'kit'],
  rooms: ['core', 'kit'],
  tools: ['core/domain', 'kit', 'tools'],
};
/** Packages and node: modules of each folder; `node:*` is all of Node's. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'core/accept': ['hono', 'p-limit', 'uuid', 'zod', 'zod-openapi', 'node:*'],
  'core/domain': ['zod'],
  'core/profile': ['murmurhash', 'node:buffer'],
  'core/repair': ['node:*'],
  'core/score': ['@marcbachmann/cel-js', 'zod', 'node:crypto'],
  'core/store': ['pg', 'uuid', 'zod', 'node:*'],
  'core/stream': ['@platformatic/kafka', 'ioredis', 'murmurhash', 'node:*'],
  'core/work': ['lru-cache', 'p-limit', 'uuid', 'node:*'],
  kit: [
    '@hono/node-server',
    'aws4fetch',
    'fastest-levenshtein',
    'hono',
    'hyparquet',
    'ioredis',
    'lru-cache',
    'p-limit',
    'pg',
    'pg-copy-streams',
    'pino',
    'prom-client',
    'uuid',
    'yaml',
    'zod',
    'zod-openapi',
    'node:*',
    '@opentelemetry/api',
    '@opentelemetry/exporter-trace-otlp-proto',
    '@opentelemetry/otlp-transformer',
    '@opentelemetry/resources',
    '@opentelemetry/sdk-trace',
  ],
  rooms: [
    'hono',
    'hyparquet',
    'hyparquet-writer',
    'ipaddr.js',
    'lru-cache',
    'p-limit',
    'openid-client',
    'prom-client',
    'swagger-ui-dist',
    'uuid',
    'yaml',
    'zod',
    'zod-openapi',
    'node:*',
  ],
  tools: ['hyparquet', 'p-limit', 'zod', 'node:*'],
};

/** Modules of src that the console also loads. */
const SHARED = [
  'src/kit/words/currencies.ts',
  'src/kit/words/exact-number.ts',
  'src/kit/words/levels.ts',
  'src/kit/words/money.ts',
  'src/rooms/rules/diff-rule-sets.ts',
];

/** Packages that the browser loads besides the files of the console itself. */
const CONSOLE_PACKAGES = [
  'react',
  'react-dom',
  'uplot',
  'wouter',
  '@tanstack/react-query',
  '@tanstack/react-table',
  '@tanstack/react-virtual',
];

function isForConsole(target: string, typeOnly: boolean): boolean {
  return (
    target.startsWith('console/src/') ||
    SHARED.includes(target) ||
    CONSOLE_PACKAGES.includes(target) ||
    (typeOnly && target === GENERATED)
  );
}

/** Folders and files in which nothing may read a clock, random numbers or the network. */
const PURE = [
  'core/domain/',
  'core/score/',
  'core/profile/',
  'rooms/models/training/',
  'rooms/models/watch/',
  ...['capacity', 'case-steps', 'forecast', 'priority', 'spot-check'].map(
    (noun) => `rooms/review/${noun}.ts`,
  ),
];
const IMPURE = /\b(Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|fetch\()/;
const LINES_MAX = 300;
/** Made by `npm run api-types`, and absent in a bare clone. */
const GENERATED = 'src/kit/client/api-types.ts';

const sources = readSources('src', /\.ts$/);

/** The first `parts` folders of a path below src. */
function folderOf(path: string, parts: number): string {
  return path
    .split('/')
    .slice(1, 1 + parts)
    .join('/');
}

function mayImport(path: string, target: string): boolean {
  const zone = folderOf(path, 1);
  if (zone === 'main') return true;
  const isInOneRoom = zone === 'rooms' && folderOf(path, 2) === folderOf(target, 2);
  const allowed = MAY_IMPORT[zone as Zone] ?? [];
  return isInOneRoom || allowed.some((one) => target.startsWith(`src/${one}/`));
}

function mayUsePackage(path: string, target: string): boolean {
  if (folderOf(path, 1) === 'main') return true;
  const listed = PACKAGES[folderOf(path, 2)] ?? PACKAGES[folderOf(path, 1)] ?? [];
  return listed.includes(target) || (target.startsWith('node:') && listed.includes('node:*'));
}

/** `src/a/b` and `src/a` and `src` of `src/a/b/c.ts`. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** The files and sub-folders of a folder, with the others of the folder that each imports, by values or types. */
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

test('rooms import core and kit alone, core imports kit alone, and nobody imports main', () => {
  const crossing = sources.flatMap(({ path, text }) =>
    importsOf(path, text)
      .filter(({ target }) => target.startsWith('src/') && !mayImport(path, target))
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(crossing).toEqual([]);
});

test('folders use the packages listed for them', () => {
  const found = sources.flatMap(({ path, text }) =>
    importsOf(path, text)
      .filter(({ target, typeOnly }) => !typeOnly && !target.startsWith('src/'))
      .filter(({ target }) => !target.endsWith('package.json') && !mayUsePackage(path, target))
      .map(({ target }) => `${path} imports the package ${target}`),
  );
  expect(found).toEqual([]);
});

test('the console imports its own files, its packages and types of the client', () => {
  const found = readSources('console/src', /\.tsx?$/).flatMap(({ path, text }) =>
    importsOf(path, text)
      .filter(({ target, typeOnly }) => !isForConsole(target, typeOnly))
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(found).toEqual([]);
});

test('imports of the types of the client are erased, as a bare clone lacks the file', () => {
  const kept = /^(?:import|export) (?!type )[^;]*api-types\.ts'/m;
  const files = [...sources, ...readSources('console/src', /\.tsx?$/)];
  expect(kept.test("import { type A } from './api-types.ts';")).toBe(true);
  expect(files.filter(({ text }) => kept.test(text)).map(({ path }) => path)).toEqual([]);
});

test('the top level has five folders', () => {
  const zones = [...Object.keys(MAY_IMPORT), 'main'];
  expect([...new Set(sources.map(({ path }) => folderOf(path, 1)))].sort()).toEqual(zones.sort());
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

test('the edge never reaches a driver, not even through a type', () => {
  const banned = /'(pg|ioredis)'|\/(database|redis)\//;
  const found = sources
    .filter(({ path }) => folderOf(path, 2) === 'kit/http')
    .filter(({ text }) =>
      text.split('\n').some((line) => /from '/.test(line) && banned.test(line)),
    );
  expect(found.map(({ path }) => path)).toEqual([]);
});

test('the pure folders know no clock, no dice and no process', () => {
  const found = sources
    .filter(({ path }) => PURE.some((one) => path.startsWith(`src/${one}`)))
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
    "import type { Log } from '../metrics/log.ts';",
    "import { type A, type B } from './a.ts';",
    "import { type A, b } from './b.ts';",
    'const later = await import(\n  "x",\n);',
    "const module = () => import('../api.ts');",
    "import {\n  one,\n  two,\n} from '@hono/node-server/conninfo';",
  ].join('\n');
  expect(importsOf('src/core/store/x.ts', text)).toEqual([
    { target: 'pg', typeOnly: false },
    { target: 'src/core/metrics/log.ts', typeOnly: true },
    { target: 'src/core/store/a.ts', typeOnly: true },
    { target: 'src/core/store/b.ts', typeOnly: false },
    { target: '@hono/node-server', typeOnly: false },
    { target: 'src/core/api.ts', typeOnly: false, isDynamic: true },
  ]);
});
