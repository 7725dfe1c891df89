/** Policies by which the scorecard decides: what is in force until when, frozen and ended by one person, proposed to another. */
import { useState } from 'react';
import { Link } from 'wouter';
import type { Approval, ListedControl, Me } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useControls } from '../../api/controls.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { has } from '../../api/me.ts';
import { serverMs } from '../../api/server-time.ts';
import { number, person } from '../../format.ts';
import { Approvals } from '../../parts/approvals.tsx';
import { Choice, Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Facts, Time } from '../../parts/show.tsx';
import { ChangeDialog } from '../corridors/change-dialog.tsx';
import { EndDialog } from '../corridors/control-dialog.tsx';

const DAY_MS = 86_400_000;

export function Policies({ me }: { readonly me: Me }) {
  const [isOpen, setOpen] = useState(false);
  const [proposed, setProposed] = useState<Approval>();
  const controls = useControls().data?.items;
  if (controls === undefined) return null;
  const policies = controls.filter(({ kind }) => kind === 'scorecard');
  return (
    <Part title="Policy">
      {policies.length === 0 ? (
        <p className="muted">No policy is in force: margins decide nothing.</p>
      ) : null}
      {policies.map((policy) => (
        <Policy
          key={policy.scope}
          policy={policy}
          stop={controls.find(({ kind, scope }) => kind === 'stop' && scope === policy.scope)}
          me={me}
        />
      ))}
      <Approvals
        me={me}
        isShown={({ kind }) => kind.startsWith('scorecard-')}
        evidenceOf={({ kind, subject }) =>
          kind === 'scorecard-policy' ? <Link href={backtestOf(subject)}>backtest</Link> : null
        }
      />
      {proposed === undefined ? null : (
        <output className="notice">
          {proposed.subject} is proposed, and another risk officer confirms it. Its backtest over
          matured weeks shows both of you what it would have caught, and whom it would have stopped.
        </output>
      )}
      {has(me, 'risk_officer') ? (
        <div className="row">
          <button type="button" onClick={() => setOpen(true)}>
            Propose a policy …
          </button>
        </div>
      ) : null}
      {isOpen ? <Propose onProposed={setProposed} onClose={() => setOpen(false)} /> : null}
    </Part>
  );
}

/** Days before today that a backtest is asked of: four weeks whose labels had time to come. */
const [FROM_DAYS, TO_DAYS] = [42, 14];

function backtestOf(model: string): string {
  const dayOf = (days: number) => new Date(serverMs() - days * DAY_MS).toISOString().slice(0, 10);
  return `/backtests?${new URLSearchParams({ model, from: dayOf(FROM_DAYS), to: dayOf(TO_DAYS) })}`;
}

const say = (share = 0) => `${number(100 * share)} %`;

type PolicyProps = {
  readonly policy: ListedControl;
  /** The control that freezes the policy; undefined: the policy is not frozen. */
  readonly stop: ListedControl | undefined;
  readonly me: Me;
};

function Policy({ policy, stop, me }: PolicyProps) {
  const [asked, setAsked] = useState<'freeze' | 'thaw' | 'end'>();
  const { scope, ends_at, set_by, value } = policy;
  const { review_share, decline_share, bound, measures_left_out } = value?.policy ?? {};
  const name = scope.replace('model:', '');
  const close = () => setAsked(undefined);
  const ended = asked === 'end' ? policy : asked === 'thaw' ? stop : undefined;
  return (
    <>
      <Facts
        rows={[
          [
            'Policy',
            <Link key="name" href={`/models/${encodeURIComponent(name)}`}>
              {name}
            </Link>,
          ],
          [
            'State',
            <Badge key="state" level={stop === undefined ? 'fine' : 'warning'}>
              {stop === undefined ? 'in force' : 'frozen'}
            </Badge>,
          ],
          ['Ends', <Time key="ends" at={ends_at} />],
          ['Reviewed or declined, at most', say(review_share)],
          ['Declined, at most', say(decline_share)],
          ['Verdicts that a night may change', say(bound)],
          ['Left out', measures_left_out?.join(', ') || 'nothing'],
          ['Confirmed by', person(set_by)],
        ]}
      />
      {has(me, 'operator', 'risk_officer') ? (
        <div className="row">
          <button
            type="button"
            className={stop === undefined ? 'danger' : ''}
            onClick={() => setAsked(stop === undefined ? 'freeze' : 'thaw')}
          >
            {stop === undefined ? 'Freeze' : 'Thaw'} {name}
          </button>
          <button type="button" className="danger" onClick={() => setAsked('end')}>
            End {name}
          </button>
        </div>
      ) : null}
      {asked === 'freeze' ? (
        <ChangeDialog
          title={`Freeze ${name}`}
          action="Freeze"
          isDangerous
          onSend={(reason, signal) => {
            const body = { in_force: true, reason };
            const path = { kind: 'stop', scope } as const;
            return ask('PUT /v1/controls/{kind}/{scope}', { path, body }, signal);
          }}
          onClose={close}
        >
          <p>The rules decide within two seconds, until somebody thaws the policy.</p>
        </ChangeDialog>
      ) : null}
      {ended === undefined ? null : <EndDialog control={ended} onClose={close} />}
    </>
  );
}

const FIELDS = [
  [
    'review_share',
    'Reviewed or declined, % of payments',
    '1',
    10,
    'At most; from 0.1 to 10 in steps of 0.1.',
  ],
  ['decline_share', 'Declined, % of payments', '0.1', 10, 'At most; from 0.1 on in steps of 0.1.'],
  [
    'bound',
    'Verdicts that a night may change, %',
    '1',
    5,
    'Two people take a table that changes more.',
  ],
  ['days', 'Ends after days', '30', 90, 'Ninety at most.'],
] as const;
type FieldName = (typeof FIELDS)[number][0];

type ProposeProps = {
  readonly onProposed: (approval: Approval) => void;
  readonly onClose: () => void;
};

function Propose({ onProposed, onClose }: ProposeProps) {
  const [corridor, setCorridor] = useState('');
  const [leftOut, setLeftOut] = useState('');
  const names = useCorridorNames();
  const chosen = corridor || names[0] || '';
  const begin = Object.fromEntries(FIELDS.map(([name, , value]) => [name, value]));
  const [values, setValues] = useState(begin as Record<FieldName, string>);
  const share = (name: FieldName) => Number((Number(values[name]) / 100).toFixed(5));
  const send = async (reason: string, signal: AbortSignal) => {
    const body = {
      ...{ corridor: chosen, reason, bound: share('bound') },
      ...{ review_share: share('review_share'), decline_share: share('decline_share') },
      measures_left_out: leftOut.split(/[\s,]+/).filter(Boolean),
      ends_at: new Date(serverMs() + Number(values.days) * DAY_MS).toISOString(),
    };
    onProposed(await ask('POST /v1/scorecard-policies', { body }, signal));
  };
  return (
    <ChangeDialog
      title="Propose a policy"
      action="Propose"
      isBlocked={chosen === '' || Object.values(values).includes('')}
      onSend={send}
      onClose={onClose}
    >
      <p>Once another person confirms, the policy decides for 5 % of the accounts of a corridor.</p>
      <Choice label="Corridor" value={chosen} onChange={setCorridor}>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Choice>
      {FIELDS.map(([name, label, , max, hint]) => (
        <Field
          key={name}
          {...{ label, max, hint, isNumber: true, isRequired: true }}
          value={values[name]}
          onChange={(text) => setValues({ ...values, [name]: text })}
        />
      ))}
      <Field
        label="Measures left out"
        value={leftOut}
        onChange={setLeftOut}
        hint="By name, with commas between; they add no points from the next table on."
      />
    </ChangeDialog>
  );
}
