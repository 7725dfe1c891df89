/** Scopes in words. */

/** `corridor:US-EG` is the corridor US-EG. */
export function nameOf(scope: string): string {
  if (scope === 'all') return 'Every market';
  if (scope === 'market') return 'The market';
  const [kind = '', name = ''] = scope.split(/:(.*)/s);
  return kind === 'client' ? `The client ${name}` : `The corridor ${name}`;
}
