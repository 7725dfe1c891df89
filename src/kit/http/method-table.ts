/** Which methods a path takes: tells 405 from 404. Built once from the routes that are served. */

type Route = { readonly method: string; readonly path: string };

export function createMethodTable(routes: readonly Route[]): {
  allowedAt: (path: string) => string[];
} {
  const methodsByPath = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    if (method === 'ALL') continue;
    const methods = methodsByPath.get(path) ?? new Set();
    methodsByPath.set(path, methods.add(method));
    if (method === 'GET') methods.add('HEAD');
  }
  const patterns = [...methodsByPath].map(([path, methods]) => ({
    pattern: toPattern(path),
    methods,
  }));
  return {
    allowedAt: (path) => {
      const matching = patterns.filter(({ pattern }) => pattern.test(path));
      return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
    },
  };
}

/** `/v1/scores/:id` as an expression; a parameter is one segment, `*` is the rest. */
function toPattern(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    if (segment === '*') return '.*';
    if (segment.startsWith(':')) return '[^/]+';
    return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}$`);
}
