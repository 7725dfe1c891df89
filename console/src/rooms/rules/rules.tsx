/** The rule set in force, number by number, and what became of the transactions that each rule fired on. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { RuleOutcomes, RuleSet } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { count } from '../../format.ts';
import { Choice, Segments } from '../../parts/field.tsx';
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
              <Outcomes ruleSets={items} current={current} />
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

const EVERY = '';

function Outcomes({
  ruleSets,
  current,
}: {
  readonly ruleSets: readonly RuleSet[];
  readonly current: RuleSet;
}) {
  const [days, setDays] = useState<Days>('7');
  const [search, setSearch] = useSearchParams();
  const corridor = search.get('corridor') ?? EVERY;
  const names = useCorridorNames();
  const query = useQuery({
    queryKey: ['rule-outcomes', days, corridor],
    queryFn: ({ signal }) => {
      const only = corridor === EVERY ? {} : { corridor };
      return ask('GET /v1/rules/outcomes', { query: { days, ...only } }, signal);
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const inForce = ruleSets.find(({ rule_set }) => rule_set === query.data?.rule_set) ?? current;
  const rule = inForce.rules.find(({ code }) => code === search.get('rule'));
  const choose = (changed: Record<string, string>, replace = false) =>
    setSearch(
      Object.entries({ corridor, rule: '', ...changed }).filter(([, value]) => value !== ''),
      { replace },
    );
  return (
    <Part
      title="Rules and what became of their hits"
      aside={
        <>
          <Choice
            label="Corridor"
            value={corridor}
            onChange={(chosen) => choose({ corridor: chosen })}
          >
            <option value={EVERY}>all corridors</option>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Choice>
          <Segments label="Days" choices={DAYS} chosen={days} onChoose={setDays} />
        </>
      }
    >
      <Found query={query} what="what became of hits">
        {(outcomes) => (
          <>
            <About outcomes={outcomes} />
            <RuleTable
              rules={inForce.rules}
              outcomes={outcomes}
              onOpen={(code) => choose({ rule: code })}
            />
          </>
        )}
      </Found>
      {rule === undefined ? null : <RuleDialog rule={rule} onClose={() => choose({}, true)} />}
    </Part>
  );
}

/** The scores that the figures are from. */
function About({
  outcomes: { rule_set, scores, from, counted_from, to, outcomes },
}: {
  readonly outcomes: RuleOutcomes;
}) {
  const { fraud, legitimate, none } = outcomes.decline;
  return (
    <p className="muted small">
      Rules of {rule_set}, on {count(scores)} scores from <Time at={from} /> to <Time at={to} />. Of
      declined payments {count(legitimate)} had the label legitimate, {count(fraud)} fraud, and{' '}
      {count(none)} none.
      {counted_from === from ? (
        ''
      ) : (
        <>
          {' '}
          Verdicts and labels are counted since <Time at={counted_from} />: one corridor or fewer
          days are counted whole.
        </>
      )}{' '}
      ‘Of frauds’ is the share of known frauds on which the rule fired. In a corridor where a model
      decides, only rules that are marked as policy fire.
    </p>
  );
}
