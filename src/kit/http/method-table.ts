/** The methods that each path takes, which tell 405 from 404 and from an id of that name. Built once from the routes that are served. */
import { nearestName } from '../words/nearest-name.ts';

type Route = { readonly method: string; readonly path: string };

export function createMethodTable(routes: readonly Route[]): {
  allowedAt: (path: string) => string[];
  /** Methods that a path without parameters does not take, and a route beside it would take for an id. */
  mistaken: readonly Route[];
  /** Paths that take the method and have words of their own where the path has an id, as /v1/transactions/batch. */
  besides: (method: string, path: string) => string[];
  /** The path without slashes at its end or side by side, or below /v1, where that is served; otherwise the nearest, with its parameters as `{id}`. */
  nearestTo: (path: string) => string | undefined;
} {
  const methodsByPath = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    if (method === 'ALL') continue;
    const methods = methodsByPath.get(path) ?? new Set();
    methodsByPath.set(path, methods.add(method));
    if (method === 'GET') methods.add('HEAD');
  }
  const patterns = [...methodsByPath].map(([path, methods]) => ({
    path,
    pattern: toPattern(path),
    methods,
  }));
  const methodsOf = (path: string) => {
    const matching = patterns.filter(({ pattern }) => pattern.test(path));
    return new Set(matching.flatMap(({ methods }) => [...methods]));
  };
  const mistaken = patterns
    .filter(({ path }) => !/[:*]/.test(path))
    .flatMap(({ path, methods }) =>
      [...methodsOf(path).difference(methods)].map((method) => ({ method, path })),
    );
  return {
    allowedAt: (path) => [...(methodsByPath.get(path) ?? methodsOf(path))].sort(),
    mistaken,
    besides: (method, path) => {
      if (methodsByPath.has(path)) return [];
      const above = path.slice(0, path.lastIndexOf('/') + 1);
      return patterns
        .filter((one) => one.methods.has(method) && one.path.startsWith(above))
        .map((one) => one.path)
        .filter((one) => !/[:*/]/.test(one.slice(above.length)));
    },
    nearestTo: (path) => {
      const trimmed = path.replaceAll(/\/+(?=\/|$)/g, '');
      const meant = [trimmed, `/v1${trimmed}`].flatMap(
        (one) => patterns.find(({ pattern }) => pattern.test(one)) ?? [],
      );
      if (meant[0] !== undefined) return shown(meant[0].path);
      const given = path.split('/');
      const served = new Map<string, string>();
      for (const known of methodsByPath.keys()) {
        const segments = known.split('/');
        if (segments.length !== given.length || known.includes('*')) continue;
        const filled = segments.map((one, nth) => (one.startsWith(':') ? given[nth] : one));
        served.set(filled.join('/'), shown(known));
      }
      return served.get(nearestName(path, [...served.keys()]) ?? '');
    },
  };
}

const shown = (path: string) => path.replaceAll(/:(\w+)/g, '{$1}');

/** `/v1/scores/:id` as an expression; a parameter is one segment, `*` is the rest. */
function toPattern(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    if (segment === '*') return '.*';
    if (segment.startsWith(':')) return '[^/]+';
    return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}$`);
}
