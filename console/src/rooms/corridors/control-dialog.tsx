/** Sets a control of a scope, with its value, a reason, a message and an end. */
import { useState } from 'react';
import type { KindOfControl, ListedControl } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { serverMs } from '../../api/server-time.ts';
import { Choice, Field } from '../../parts/field.tsx';
import { ChangeDialog } from './change-dialog.tsx';
import { kindName, nameOf } from './scopes.ts';

const MINUTE_MS = 60_000;

/** @param minutes as somebody has typed them */
const endsAt = (minutes: string) =>
  new Date(serverMs() + Number(minutes) * MINUTE_MS).toISOString();

/** Choices with which a dialog begins. */
export type Preset = {
  readonly kind: string;
  /** Undefined: people choose the scope. A scope that ends with a colon lacks its name, which people give. */
  readonly scope?: string;
  readonly value?: ListedControl['value'];
};

const LABELS: Readonly<Record<string, string>> = {
  ...{ points: 'Points', from_amount: 'From amount', rate_per_second: 'A second', burst: 'Burst' },
  received_days: 'Received in days before',
};
const HINTS: Readonly<Record<string, string>> = {
  points: 'From 1 to 500: each threshold loses at most half.',
  from_amount: 'In the currency of the market; other payments by the newest rates.',
  burst: 'What may come at once after a pause: at least a tenth of a second.',
};

const textsOf = (value: object | null = null) =>
  Object.fromEntries(Object.entries(value ?? {}).map(([name, member]) => [name, String(member)]));

type SetDialogProps = {
  readonly preset: Preset;
  readonly kinds: readonly KindOfControl[];
  readonly onClose: () => void;
};

export function SetDialog({ preset, kinds, onClose }: SetDialogProps) {
  const [chosen, setChosen] = useState(preset.kind);
  const [of, setOf] = useState(preset.scope ?? '');
  const [name, setName] = useState('');
  const [values, setValues] = useState<Readonly<Record<string, string>>>(textsOf(preset.value));
  const [message, setMessage] = useState('');
  const [minutes, setMinutes] = useState('');
  const kind = kinds.find((known) => known.kind === chosen);
  if (kind === undefined) return null;
  const { says = null } = kind.scopes.find((known) => known.scope === of) ?? {};
  const isForm = of.endsWith(':');
  const scope = isForm && name.trim() === '' ? '' : of + (isForm ? name.trim() : '');
  const isSet = kind.fields.every((field) => (values[field] ?? '') !== '');
  const isTimed = kind.ends === 'must';
  const send = (reason: string, signal: AbortSignal) => {
    const members = kind.fields.map((field) => [field, toMember(field, values[field] ?? '')]);
    const body = {
      ...Object.fromEntries(members),
      in_force: true,
      reason,
      message: message.trim() === '' ? undefined : message.trim(),
      ends_at: minutes === '' || kind.ends === 'never' ? undefined : endsAt(minutes),
    };
    return ask(
      'PUT /v1/controls/{kind}/{scope}',
      { path: { kind: kind.kind, scope }, body },
      signal,
    );
  };
  const minutesHint = isTimed ? 'Seven days (10,080) at most.' : 'Empty: when somebody ends it.';
  return (
    <ChangeDialog
      title="Set a control"
      action="Set"
      isDangerous
      isBlocked={scope === '' || !isSet || (isTimed && minutes === '')}
      more={
        kind.ends === 'never' ? null : (
          <>
            <Field
              label="Message"
              value={message}
              onChange={setMessage}
              hint="What refused clients read."
            />
            <Field
              label="Ends after minutes"
              value={minutes}
              onChange={setMinutes}
              isNumber
              isRequired={isTimed}
              hint={minutesHint}
            />
          </>
        )
      }
      onSend={send}
      onClose={onClose}
    >
      <Choice label="Kind" value={chosen} onChange={setChosen}>
        {kinds
          .filter(({ set_by }) => set_by === 'person')
          .map(({ kind: known }) => (
            <option key={known} value={known}>
              {kindName(known)}
            </option>
          ))}
      </Choice>
      <p>{kind.says}</p>
      <Choice label="Scope" value={of} onChange={setOf}>
        <option value="">Choose one</option>
        {kind.scopes.map(({ scope: known }) => (
          <option key={known} value={known}>
            {nameOf(known)}
          </option>
        ))}
        {kind.forms.map((form) => (
          <option key={form} value={form}>
            {nameOf(form)} …
          </option>
        ))}
      </Choice>
      {says === null ? null : <p>{says.replaceAll('`', '')}</p>}
      {isForm ? <Field label="Name or id" value={name} onChange={setName} isRequired /> : null}
      {kind.fields.map((field) => (
        <Field
          key={field}
          label={LABELS[field] ?? kindName(field)}
          value={values[field] ?? ''}
          onChange={(text) => setValues({ ...values, [field]: text })}
          isNumber
          isRequired
          hint={HINTS[field]}
        />
      ))}
    </ChangeDialog>
  );
}

/** Amounts of money are texts. */
const toMember = (field: string, text: string) => (field === 'from_amount' ? text : Number(text));

type EndDialogProps = { readonly control: ListedControl; readonly onClose: () => void };

export function EndDialog({ control, onClose }: EndDialogProps) {
  const { kind, scope } = control;
  return (
    <ChangeDialog
      title={`End: ${kindName(kind)}, ${nameOf(scope)}`}
      action="End"
      onSend={(reason, signal) => {
        const body = { in_force: false, reason };
        return ask('PUT /v1/controls/{kind}/{scope}', { path: { kind, scope }, body }, signal);
      }}
      onClose={onClose}
    >
      <p>It is ended by {control.ended_by}.</p>
    </ChangeDialog>
  );
}
