/** The rule set in force, number by number, and what became of the transactions that each rule fired on. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { RuleOutcomes, RuleSet } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count } from '../../format.ts';
import { Segments } from '../../parts/field.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { RuleDialog } from './rule.tsx';
import { RULE_SETS, RuleSets } from './rule-sets.tsx';
import { RuleTable } from './rule-table.tsx';

const DAYS = [
  ['1', 'Today'],
  ['7', '7 days'],
  ['28', '28 days'],
] as const;
type Days = (typeof DAYS)[number][0];

export function RulesPage() {
  const query = useQuery(RULE_SETS);
  return (
    <Page title="Rules">
      <Found query={query} what="rule sets">
        {({ items }) => {
          const current = items.find(({ in_force }) => in_force);
          return current === undefined ? (
            <Empty title="No rule set is in force" />
          ) : (
            <>
              <InForce ruleSet={current} />
              <RuleSets items={items} />
              <Outcomes ruleSet={current} />
            </>
          );
        }}
      </Found>
    </Page>
  );
}

function InForce({ ruleSet }: { readonly ruleSet: RuleSet }) {
  const { rule_set, sha256, verdicts, rules, feature_schema } = ruleSet;
  return (
    <Facts
      rows={[
        [
          'In force',
          <strong key="name" className="mono">
            {rule_set}
          </strong>,
        ],
        ['SHA-256', <Id key="hash" id={sha256} chars={16} />],
        ['Rules', `${count(rules.length)}, feature schema ${count(feature_schema)}`],
        ['Verdicts', `review ${count(verdicts.review)}, decline ${count(verdicts.decline)}`],
      ]}
    />
  );
}

function Outcomes({ ruleSet }: { readonly ruleSet: RuleSet }) {
  const [days, setDays] = useState<Days>('7');
  const [search, setSearch] = useSearchParams();
  const query = useQuery({
    queryKey: ['rule-outcomes', days],
    queryFn: ({ signal }) => ask('GET /v1/rules/outcomes', { query: { days } }, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const rule = ruleSet.rules.find(({ code }) => code === search.get('rule'));
  return (
    <Part
      title="Rules and what became of their hits"
      aside={<Segments label="Days" choices={DAYS} chosen={days} onChoose={setDays} />}
    >
      <Found query={query} what="what became of hits">
        {(outcomes) => (
          <>
            <About outcomes={outcomes} />
            <RuleTable
              rules={ruleSet.rules}
              outcomes={outcomes}
              onOpen={(code) => setSearch({ rule: code })}
            />
          </>
        )}
      </Found>
      {rule === undefined ? null : (
        <RuleDialog rule={rule} onClose={() => setSearch({}, { replace: true })} />
      )}
    </Part>
  );
}

/** The scores that the figures are from. */
function About({
  outcomes: { scores, sampled, sampled_frauds: frauds, from, to },
}: {
  readonly outcomes: RuleOutcomes;
}) {
  return (
    <p className="muted small">
      {count(scores)} scores from <Time at={from} /> to <Time at={to} />. Hits are counted over all
      scores, and verdicts and labels over{' '}
      {sampled >= scores ? 'all scores' : `a sample of ${count(sampled)} scores`}. Of frauds is the
      share of known frauds ({count(frauds)}) on which the rule fired. In a corridor where a model
      decides, only rules that are marked as policy fire.
    </p>
  );
}
