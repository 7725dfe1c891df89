/** The rules of a rule set with their hits of yesterday; `j` and `k` move, Enter opens the fields of a rule. */
import type { CheckedRuleSet } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Badge } from '../../parts/show.tsx';
import { effectText, type Problem, problemsAt, type RuleSource } from './source.ts';

type RuleListProps = {
  readonly rules: readonly RuleSource[];
  readonly problems: readonly Problem[];
  readonly yesterday: CheckedRuleSet['yesterday'] | undefined;
  readonly opened: number;
  readonly onOpen: (at: number) => void;
};
type Row = { readonly rule: RuleSource; readonly at: number };

export function RuleList({ rules, problems, yesterday, opened, onOpen }: RuleListProps) {
  const hitsOf = new Map(yesterday?.rules.map(({ rule, hits }) => [rule, hits]));
  const columns: readonly Column<Row>[] = [
    {
      ...{ id: 'rule', header: 'Rule', isRest: true },
      cell: ({ rule, at }) => (
        <>
          <button
            type="button"
            className="link"
            aria-current={at === opened ? 'true' : undefined}
            onClick={() => onOpen(at)}
          >
            {rule.id}
          </button>{' '}
          <Mark rule={rule} wrong={problemsAt(problems, `/rules/${at}`).length} />
        </>
      ),
    },
    { id: 'effect', header: 'Adds', numeric: true, cell: ({ rule }) => effectText(rule) },
    {
      ...{ id: 'hits', header: 'Hits', numeric: true },
      cell: ({ rule }) => {
        const hits = hitsOf.get(rule.id);
        return hits === undefined ? <span className="muted">–</span> : count(hits);
      },
    },
  ];
  return (
    <DataTable
      label="Rules of the set"
      columns={columns}
      rows={rules.map((rule, at) => ({ rule, at }))}
      keyOf={({ at }) => String(at)}
    />
  );
}

type MarkProps = {
  readonly rule: RuleSource;
  readonly wrong: number;
};

function Mark({ rule: { state, policy }, wrong }: MarkProps) {
  if (wrong > 0) {
    return <Badge level="critical">{wrong === 1 ? '1 problem' : `${wrong} problems`}</Badge>;
  }
  if (state === 'off') return <Badge level="unknown">off</Badge>;
  if (policy === true) return <Badge level="fine">policy</Badge>;
  return null;
}
