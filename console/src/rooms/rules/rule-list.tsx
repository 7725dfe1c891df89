/** The rules of a rule set with their hits of yesterday; `j` and `k` move, Enter opens the fields of a rule. */
import type { RuleSetPreview } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Badge } from '../../parts/show.tsx';
import { effectText, type Problem, problemsAt, type RuleSource } from './source.ts';

type RuleListProps = {
  readonly rules: readonly RuleSource[];
  readonly problems: readonly Problem[];
  readonly preview: RuleSetPreview | undefined;
  readonly opened: number;
  readonly onOpen: (at: number) => void;
};
type Row = { readonly rule: RuleSource; readonly at: number };

export function RuleList({ rules, problems, preview, opened, onOpen }: RuleListProps) {
  const tried = new Map(preview?.rules.map((one) => [one.rule, one]));
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
          <Mark
            rule={rule}
            wrong={problemsAt(problems, `/rules/${at}`).length}
            isBesideModel={(preview?.by_model ?? 0) > 0}
          />
        </>
      ),
    },
    { id: 'effect', header: 'Adds', numeric: true, cell: ({ rule }) => effectText(rule) },
    {
      ...{ id: 'hits', header: 'Hits', numeric: true },
      cell: ({ rule }) => {
        const hits = tried.get(rule.id)?.hits;
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
  /** A model decided some of yesterday's scores. */
  readonly isBesideModel: boolean;
};

function Mark({ rule: { state, policy, verdict }, wrong, isBesideModel }: MarkProps) {
  if (wrong > 0) {
    return <Badge level="critical">{wrong === 1 ? '1 problem' : `${wrong} problems`}</Badge>;
  }
  if (state === 'off') return <Badge level="unknown">off</Badge>;
  if (policy === true) return <Badge level="fine">policy</Badge>;
  // Beside a deciding model such a rule is a reason without points.
  if (isBesideModel && verdict === undefined) return <Badge level="unknown">not by model</Badge>;
  return null;
}
