/** A field for a number that may be half typed: what is no number yet stays in the field alone. */
import { useEffect, useId, useState } from 'react';

type NumberFieldProps = {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
};

export function NumberField({ label, value, onChange }: NumberFieldProps) {
  const id = useId();
  const [text, setText] = useState(String(value));
  // A value from elsewhere, as of another rule, replaces what was typed.
  useEffect(() => setText((typed) => (Number(typed) === value ? typed : String(value))), [value]);
  const isNumber = text.trim() !== '' && Number.isFinite(Number(text));
  return (
    <div className={isNumber ? 'field' : 'field wrong'}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        inputMode="decimal"
        autoComplete="off"
        value={text}
        aria-invalid={!isNumber}
        onChange={({ target }) => {
          setText(target.value);
          const given = Number(target.value);
          if (target.value.trim() !== '' && Number.isFinite(given)) onChange(given);
        }}
      />
    </div>
  );
}
