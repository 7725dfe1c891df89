/** Sets, changes and removes a limit, and confirms what another person has proposed. */
import { useState } from 'react';
import type { LimitCommand, LimitOfAll } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { Choice, Field } from '../../parts/field.tsx';
import { ChangeDialog } from './change-dialog.tsx';
import { nameOf } from './scopes.ts';

export type LimitChange =
  | 'new'
  | { readonly change: LimitOfAll }
  | { readonly confirm: LimitOfAll }
  | { readonly remove: LimitOfAll };

type LimitDialogProps = { readonly change: LimitChange; readonly onClose: () => void };

export function LimitDialog({ change, onClose }: LimitDialogProps) {
  if (change === 'new') return <RateDialog limit={undefined} onClose={onClose} />;
  if ('change' in change) return <RateDialog limit={change.change} onClose={onClose} />;
  const isRemoval = 'remove' in change;
  const limit = isRemoval ? change.remove : change.confirm;
  const proposal = isRemoval ? null : limit.proposal;
  return (
    <ChangeDialog
      title={`${isRemoval ? 'Remove' : 'Confirm'}: ${nameOf(limit.scope)}, ${limit.kind}`}
      action={isRemoval ? 'Propose the removal' : 'Confirm'}
      onSend={(reason, signal) =>
        put(limit.scope, limit.kind, { ...rateIn(proposal), reason }, signal)
      }
      onClose={onClose}
    >
      <p>
        {isRemoval
          ? 'The limit holds until another person confirms the removal.'
          : `${proposal?.proposed_by ?? ''} proposes ${wordsOf(proposal)}, as ${proposal?.reason ?? ''}.`}
      </p>
    </ChangeDialog>
  );
}

type Rate = Pick<LimitCommand, 'rate_per_second' | 'burst'>;

/** Without a rate the limit is removed. */
const rateIn = (proposal: LimitOfAll['proposal']): Rate => ({
  rate_per_second: proposal?.rate_per_second ?? undefined,
  burst: proposal?.burst ?? undefined,
});

function wordsOf(proposal: LimitOfAll['proposal']): string {
  const { rate_per_second: rate, burst } = rateIn(proposal);
  return rate === undefined ? 'no limit' : `${rate} a second, burst ${burst}`;
}

const put = (
  scope: string,
  kind: string,
  body: Omit<LimitCommand, 'kind'>,
  signal: AbortSignal,
) => {
  const known = kind as LimitCommand['kind'];
  return ask('PUT /v1/limits/{scope}', { path: { scope }, body: { kind: known, ...body } }, signal);
};

type RateDialogProps = {
  /** Undefined: a new one. */
  readonly limit: LimitOfAll | undefined;
  readonly onClose: () => void;
};

function RateDialog({ limit, onClose }: RateDialogProps) {
  const [of, setOf] = useState(limit?.scope ?? '');
  const [name, setName] = useState('');
  const [kind, setKind] = useState<string>(limit?.kind ?? 'transactions');
  const [rate, setRate] = useState(limit === undefined ? '' : String(limit.rate_per_second));
  const [burst, setBurst] = useState(limit === undefined ? '' : String(limit.burst));
  const isNamed = of === 'client:' || of === 'key:';
  const scope = isNamed && name.trim() === '' ? '' : of + name.trim();
  const body = {
    ...{ rate_per_second: Number(rate), burst: Number(burst) },
    ends_at: limit?.ends_at ?? undefined,
  };
  return (
    <ChangeDialog
      title={limit === undefined ? 'Set a limit' : `Change: ${nameOf(limit.scope)}, ${limit.kind}`}
      action="Set"
      isBlocked={scope === '' || rate === '' || burst === ''}
      onSend={(reason, signal) => put(scope, kind, { ...body, reason }, signal)}
      onClose={onClose}
    >
      <p>A lower limit holds at once, a higher one when another person confirms it.</p>
      {limit === undefined ? (
        <>
          <Scope of={of} onChoose={setOf} />
          {isNamed ? <Field label="Name or id" value={name} onChange={setName} isRequired /> : null}
          <Choice label="Counted" value={kind} onChange={setKind}>
            <option>transactions</option>
            <option>requests</option>
            {of === 'market' || of.startsWith('corridor:') ? <option>inference</option> : null}
          </Choice>
        </>
      ) : null}
      <Field label="Rate, a second" value={rate} onChange={setRate} isNumber isRequired />
      <Field
        label="Burst"
        value={burst}
        onChange={setBurst}
        isNumber
        isRequired
        hint="What may come at once after a pause: at least a tenth of a second."
      />
    </ChangeDialog>
  );
}

type ScopeProps = { readonly of: string; readonly onChoose: (of: string) => void };

function Scope({ of, onChoose }: ScopeProps) {
  const corridors = useCorridorNames();
  return (
    <Choice label="Limited" value={of} onChange={onChoose}>
      <option value="">Choose one</option>
      <option value="market">The market</option>
      <option value="client:">A client</option>
      <option value="key:">A key</option>
      {corridors.map((corridor) => (
        <option key={corridor} value={`corridor:${corridor}`}>
          {corridor}
        </option>
      ))}
    </Choice>
  );
}
