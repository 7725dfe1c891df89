/** Scopes in words. */

const FREEZE = 'freeze:';

export const isFreeze = (scope: string) => scope.startsWith(FREEZE);

const WORDS: Readonly<Record<string, string>> = {
  ...{ corridor: 'The corridor', client: 'The client', key: 'The key' },
  ...{ rule: 'The rule', model: 'The model' },
};

/** `corridor:US-EG` and `freeze:corridor:US-EG` are the corridor US-EG. */
export function nameOf(scope: string): string {
  const own = isFreeze(scope) ? scope.slice(FREEZE.length) : scope;
  if (own === 'all') return 'Every market';
  if (own === 'market') return 'The market';
  const [kind = '', name = ''] = own.split(/:(.*)/s);
  return `${WORDS[kind] ?? kind} ${name}`.trim();
}
