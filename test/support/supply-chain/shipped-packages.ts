/** Packages whose code is shipped: those that the image installs, and those that the console's build takes in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../risk.ts';
import { readSources } from '../source-files.ts';

type Locked = {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};
export type LockedPackage = Locked & {
  /** Place in node_modules. */
  readonly path: string;
  readonly name: string;
};

const MODULES = 'node_modules/';

/** Every package of the lockfile, by its place. */
export function readLockfile(): ReadonlyMap<string, LockedPackage> {
  const text = readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8');
  const { packages }: { packages: Record<string, Locked> } = JSON.parse(text);
  return new Map(
    Object.entries(packages)
      .filter(([path]) => path !== '')
      .map(([path, locked]) => [path, { ...locked, path, name: nameOf(path) }]),
  );
}

const nameOf = (path: string) => path.slice(path.lastIndexOf(MODULES) + MODULES.length);

/** As `npm ci --omit=dev --omit=optional` installs, and what the console imports, with what these need. */
export function shippedPackages(lockfile = readLockfile()): LockedPackage[] {
  const shipped = new Set<LockedPackage>();
  const visit = (name: string, from: string) => {
    const found = resolve(lockfile, name, from);
    if (found === undefined || shipped.has(found)) return;
    shipped.add(found);
    const needed = { ...found.peerDependencies, ...found.dependencies };
    for (const one of Object.keys(needed)) visit(one, `${found.path}/`);
  };
  for (const found of lockfile.values()) if (!found.dev && !found.optional) shipped.add(found);
  for (const name of importedByConsole()) visit(name, '');
  return [...shipped].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The nearest package of the name, looked for from a place upwards. */
function resolve(lockfile: ReadonlyMap<string, LockedPackage>, name: string, from: string) {
  for (let at = from; ; at = at.slice(0, at.lastIndexOf(MODULES, at.length - 2))) {
    const found = lockfile.get(`${at}${MODULES}${name}`);
    if (found !== undefined || at === '') return found;
  }
}

const IMPORT = /^(?:import|export)\b[^'";]*['"]((?:@[^/'"]+\/)?[^./'"][^/'"]*)/gm;

function importedByConsole(): string[] {
  const sources = readSources('console/src', /\.tsx?$/);
  return sources.flatMap(({ text }) => Array.from(text.matchAll(IMPORT), ([, name = '']) => name));
}
