/** A rule set: its state and people, its rules, what they would have decided yesterday, and where it decides. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Me } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { count, person } from '../../format.ts';
import { Approvals } from '../../parts/approvals.tsx';
import { Page } from '../../parts/page.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';
import { Editor } from './editor.tsx';
import { NextStep, RuleSetRollout } from './life.tsx';
import { NewDraft, State, Where } from './rule-sets.tsx';
import { isShadow } from './shadows.tsx';

/** Workers write the flips of shadows every two seconds. */
const FLIPS_EVERY_MS = 3000;

export function RuleSetPage({ id, me }: { readonly id: string; readonly me: Me }) {
  const every = usePolling(FLIPS_EVERY_MS);
  const query = useQuery({
    queryKey: ['rule-set', id],
    queryFn: ({ signal }) => ask('GET /v1/rule-sets/{id}', { path: { id } }, signal),
    refetchInterval: ({ state: { data } }) => (data && isShadow(data) ? every : false),
  });
  const [isCopied, setCopied] = useState(false);
  const detail = query.data;
  return (
    <Page
      title={id}
      aside={
        detail === undefined ? null : (
          <>
            {has(me, 'analyst', 'risk_officer') ? (
              <button type="button" onClick={() => setCopied(true)}>
                Copy as a draft …
              </button>
            ) : null}
            {has(me, 'analyst', 'risk_officer') ? (
              <Link href={`/backtests?${new URLSearchParams({ rule_set: id })}`}>Backtest it</Link>
            ) : null}
            <NextStep detail={detail} me={me} />
          </>
        )
      }
    >
      <Found query={query} what="the rule set">
        {(found) => (
          <>
            <Facts
              rows={[
                ['State', <State key="state" ruleSet={found} />],
                ['Where', <Where key="where" ruleSet={found} />],
                ['Author', found.author === null ? 'the build' : person(found.author)],
                ['Approved by', found.approved_by === null ? null : person(found.approved_by)],
                ['Made', <Time key="at" at={found.created_at} />],
                ['Rules', `${count(found.rules.length)}, feature schema ${found.feature_schema}`],
                ['SHA-256', <Id key="hash" id={found.sha256} chars={16} />],
              ]}
            />
            <Approvals me={me} isShown={({ detail }) => detail['rule_set'] === id} />
            <RuleSetRollout detail={found} me={me} />
            <Editor key={found.state} detail={found} me={me} />
          </>
        )}
      </Found>
      {isCopied ? <NewDraft of={id} onClose={() => setCopied(false)} /> : null}
    </Page>
  );
}
