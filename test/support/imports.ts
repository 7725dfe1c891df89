/** The imports of a TypeScript file, read from its text; types told from values. */
import { posix } from 'node:path';

export type Import = {
  /** `src/…` for a file of ours, else the package or `node:` module. */
  readonly target: string;
  readonly typeOnly: boolean;
  /** Loaded when the code that names it runs. */
  readonly isDynamic?: true;
};

const STATIC = /^(?:import|export)\s+(type\s+)?([^'";]*?from\s*)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

export function importsOf(path: string, text: string): Import[] {
  const fixed = [...text.matchAll(STATIC)].map(([, type, names, specifier]) => ({
    target: resolveTarget(path, specifier ?? ''),
    typeOnly: type !== undefined || onlyTypes(names ?? ''),
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, specifier]) => ({
    target: resolveTarget(path, specifier ?? ''),
    typeOnly: false,
    isDynamic: true as const,
  }));
  return [...fixed, ...dynamic];
}

/** `import { type A, type B } from` is erased completely under verbatimModuleSyntax, except for its effects. */
function onlyTypes(names: string): boolean {
  const inner = /^\{([^}]*)\}\s*from\s*$/.exec(names.trim())?.[1];
  if (inner === undefined) return false;
  const parts = inner
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return parts.length > 0 && parts.every((part) => part.startsWith('type '));
}

function resolveTarget(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (specifier.startsWith('node:')) return specifier;
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
