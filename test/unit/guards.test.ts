/**
 * Goal: the index of guards is whole and names what exists. Method: the rows are compared with the operations of the API
 * document, the commands, the settings and the pages of the console, and the titles that rows name with the texts of tests.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeSettings } from '../../src/kit/config/config.ts';
import { MECHANISMS } from '../guards/mechanisms.ts';
import { GUARDS } from '../guards.ts';
import { ROLES, readCommands } from '../support/commands.ts';
import { documentOfRoutes, openApiOf } from '../support/openapi.ts';
import { REPOSITORY } from '../support/risk.ts';

const ROWS = Object.entries(GUARDS).flatMap(([area, rows]) =>
  Object.entries(rows).map(([name, row]) => ({ name: `${area}/${name}`, id: name, ...row })),
);
const TESTED = [
  ...ROWS.map(({ test: named, mechanism }) => [named, mechanism] as const),
  ...Object.entries(MECHANISMS),
];
const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

const shownBy = ({ shown }: { readonly shown?: string }) =>
  shown === undefined ? [] : shown.split(',').map((name) => name.trim());

/** Paths of the console: of its routes, and of its navigation where a route names its path by a constant. */
function consolePages(): string[] {
  const routes = read('console/src/app.tsx').matchAll(/<Route path="([^"]+)"/g);
  const navigation = read('console/src/shell/pages.ts').matchAll(/path: '([^']+)'/g);
  return [...routes, ...navigation].map(([, path]) => `console ${path}`);
}

async function everythingShown(): Promise<Set<string>> {
  const { operations } = openApiOf(await documentOfRoutes());
  const commands: string[] = [];
  for (const { name, actions } of (await readCommands()).values()) {
    const words = (await actions?.()) ?? [''];
    commands.push(...words.map((action) => `risk ${name} ${action}`.trim()));
  }
  return new Set([
    ...operations.map(({ method, path }) => `${method} ${path}`),
    ...ROLES.map((role) => `risk ${role}`),
    ...commands,
    ...describeSettings().map(({ name }) => name),
    ...consolePages(),
  ]);
}

/** Whether a title stands in the text between quotes of any kind. */
const hasTitle = (text: string, title: string) =>
  ["'", '"', '`'].some((quote) => text.includes(quote + title + quote));

describe('guards', () => {
  test('show every operation, command, page and setting, and name no other', async () => {
    const expected = await everythingShown();
    const shown = ROWS.flatMap(shownBy);
    expect(shown.filter((name) => !expected.has(name))).toEqual([]);
    expect([...expected].filter((name) => !shown.includes(name))).toEqual([]);
  });

  test('have names of their own, and each is one sentence', () => {
    expect(ROWS.filter(({ id }, at) => ROWS.findIndex((row) => row.id === id) < at)).toEqual([]);
    for (const { name, says } of ROWS) expect(says, name).toMatch(/^[A-Z][^.]+\.$/);
  });

  test.each(TESTED)('%s has its mechanism', (named, mechanism) => {
    const [file = '', ...titles] = named.split(' > ');
    expect(existsSync(join(REPOSITORY, mechanism)), mechanism).toBe(true);
    expect(existsSync(join(REPOSITORY, 'test', file)), file).toBe(true);
    const text = read(`test/${file}`);
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !hasTitle(text, title))).toEqual([]);
  });
});
