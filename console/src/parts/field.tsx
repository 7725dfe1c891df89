/** A labelled input of a form, with what it means beside it. */
import { type ReactNode, useId } from 'react';
import { LOCAL_EXAMPLE, sayLocal, timeLabel } from './local-time.ts';

type FieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  /** A number from 0 on, at most this. */
  readonly isNumber?: boolean;
  readonly max?: number;
  readonly isRequired?: boolean;
  readonly hint?: string | undefined;
};

export function Field({
  label,
  value,
  onChange,
  placeholder,
  isNumber = false,
  max,
  isRequired,
  hint,
}: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        {...(isNumber ? { type: 'number', step: 'any', min: 0, max } : { type: 'text' })}
        value={value}
        placeholder={placeholder}
        required={isRequired}
        autoComplete="off"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={({ target }) => onChange(target.value)}
      />
      {hint === undefined ? null : (
        <span id={`${id}-hint`} className="muted small">
          {hint}
        </span>
      )}
    </div>
  );
}

type TimeFieldProps = Pick<FieldProps, 'label' | 'value' | 'onChange' | 'hint'>;

/** A time in the zone of the browser: below stands what is sent for it, with its offset. */
export function TimeField({ label, value, onChange, hint }: TimeFieldProps) {
  return (
    <Field
      {...{ label: timeLabel(label, value), value, onChange }}
      placeholder={LOCAL_EXAMPLE}
      hint={sayLocal(value) || hint}
    />
  );
}

type ChoiceProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Options. */
  readonly children: ReactNode;
};

export function Choice({ label, value, onChange, children }: ChoiceProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={({ target }) => onChange(target.value)}>
        {children}
      </select>
    </div>
  );
}

/** A few choices side by side. */
export function Segments<Value extends string>({
  label,
  choices,
  chosen,
  onChoose,
}: {
  readonly label: string;
  readonly choices: readonly (readonly [Value, string])[];
  readonly chosen: Value;
  readonly onChoose: (value: Value) => void;
}) {
  return (
    <fieldset className="segments" aria-label={label}>
      {choices.map(([value, name]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}
