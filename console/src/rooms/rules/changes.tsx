/** Differences between a rule set and one that is in force, a line each. */
import { useQuery } from '@tanstack/react-query';
import { diffRuleSets } from '../../../../src/rooms/rules/diff-rule-sets.ts';
import { ask } from '../../api/ask.ts';
import { Part } from '../../parts/page.tsx';
import { Found } from '../../parts/states.tsx';
import { RULE_SETS } from './rule-sets.tsx';
import type { Source } from './source.ts';

export function Changes({ source }: { readonly source: Source }) {
  const { data: all } = useQuery(RULE_SETS);
  const base = all?.items.find(({ in_force, rule_set }) => in_force && rule_set !== source.id);
  if (base === undefined) return null;
  return <Against source={source} id={base.rule_set} />;
}

function Against({ source, id }: { readonly source: Source; readonly id: string }) {
  const query = useQuery({
    queryKey: ['rule-set', id],
    queryFn: ({ signal }) => ask('GET /v1/rule-sets/{id}', { path: { id } }, signal),
  });
  return (
    <Part title={`Changes to ${id}, which is in force`}>
      <Found query={query} what={id}>
        {(base) => <Lines lines={diffRuleSets({ ...base.source, id: source.id }, source)} />}
      </Found>
    </Part>
  );
}

export function Lines({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return <p className="muted">Nothing differs.</p>;
  return (
    <ul className="diff">
      {lines.map((line) => (
        <li
          key={line}
          className={line.startsWith('- ') ? 'gone' : line.startsWith('+ ') ? 'new' : ''}
        >
          <code>{line}</code>
        </li>
      ))}
    </ul>
  );
}
