/** Asks what a version would have decided; the address may name the version. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { serverMs } from '../../api/server-time.ts';
import { Choice, Field, TimeField } from '../../parts/field.tsx';
import { readLocal } from '../../parts/local-time.ts';
import { Part } from '../../parts/page.tsx';
import { Trouble } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { RULE_SETS } from '../rules/rule-sets.tsx';
import { BACKTESTS, hrefOf } from './asked.tsx';

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
const utcDay = (daysAgo: number) =>
  new Date(serverMs() - daysAgo * DAY_MS).toISOString().slice(0, 10);
/** An empty field is left out. */
const orAbsent = (text: string) => (text === '' ? undefined : text);

export function NewBacktest() {
  const [search] = useSearchParams();
  const [, go] = useLocation();
  const client = useQueryClient();
  const corridors = useCorridorNames();
  const { ruleSets, models } = useVersions();
  const [asked, setAsked] = useState({
    ...{ ruleSet: search.get('rule_set') ?? '', model: search.get('model') ?? '' },
    ...{ againstRuleSet: '', againstModel: '', corridor: '' },
    ...{ from: search.get('from') ?? utcDay(WEEK_DAYS), to: search.get('to') ?? utcDay(0) },
    knownBy: '',
  });
  const set = (field: keyof typeof asked) => (value: string) =>
    setAsked({ ...asked, [field]: value });
  const send = useMutation({
    mutationFn: () => {
      const body = {
        ...{ from: asked.from.trim(), to: asked.to.trim() },
        ...{ rule_set: orAbsent(asked.ruleSet), model: orAbsent(asked.model) },
        against_rule_set: orAbsent(asked.againstRuleSet),
        against_model: orAbsent(asked.againstModel),
        corridor: orAbsent(asked.corridor),
        known_by: orAbsent(readLocal(asked.knownBy.trim())),
      };
      return ask('POST /v1/backtests', { body });
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: [BACKTESTS] });
      go(hrefOf(made));
    },
  });
  useShortcuts({ n: () => document.querySelector<HTMLElement>('#new-backtest select')?.focus() });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const choices = (names: readonly string[], none: string, chosen: string) => (
    <>
      <option value="">{none}</option>
      {[...new Set(chosen === '' ? names : [chosen, ...names])].map((one) => (
        <option key={one}>{one}</option>
      ))}
    </>
  );
  return (
    <Part title="What would a version have decided?" aside={<kbd>n</kbd>}>
      <form id="new-backtest" className="filters" onSubmit={submit} aria-label="New backtest">
        <Choice label="Rule set" value={asked.ruleSet} onChange={set('ruleSet')}>
          {choices(ruleSets, 'those in force', asked.ruleSet)}
        </Choice>
        <Choice label="Model" value={asked.model} onChange={set('model')}>
          {choices(models, 'as judged', asked.model)}
        </Choice>
        <Choice
          label="Beside rule set"
          value={asked.againstRuleSet}
          onChange={set('againstRuleSet')}
        >
          {choices(ruleSets, 'those in force', asked.againstRuleSet)}
        </Choice>
        <Choice label="Beside model" value={asked.againstModel} onChange={set('againstModel')}>
          {choices(models, 'as judged', asked.againstModel)}
        </Choice>
        <Field label="From, day in UTC" value={asked.from} onChange={set('from')} isRequired />
        <Field label="To, exclusive" value={asked.to} onChange={set('to')} isRequired />
        <TimeField
          {...{ label: 'Labels known by', value: asked.knownBy, onChange: set('knownBy') }}
          hint="Empty: those known now."
        />
        <Choice label="Corridor" value={asked.corridor} onChange={set('corridor')}>
          {choices(corridors, 'all corridors', asked.corridor)}
        </Choice>
        <button type="submit" className="primary" disabled={send.isPending}>
          {send.isPending ? 'Asking …' : 'Ask'}
        </button>
      </form>
      {send.error === null ? null : <Trouble error={send.error} />}
    </Part>
  );
}

/** Rule sets in each state, drafts too, the scorecard, and registered models. */
function useVersions() {
  const ruleSets = useQuery(RULE_SETS);
  const models = useQuery({
    queryKey: ['models', 'newest'],
    queryFn: ({ signal }) => ask('GET /v1/models', { query: {} }, signal),
  });
  return {
    ruleSets: ruleSets.data?.items.map(({ rule_set }) => rule_set) ?? [],
    models: ['scorecard', ...(models.data?.items.map(({ model }) => model) ?? [])],
  };
}
