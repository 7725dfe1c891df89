/** A field for a number that may be half typed: what is no number yet stays in the field alone. */
import { useEffect, useId, useState } from 'react';
import { exactNumber } from '../../../../src/kit/words/exact-number.ts';

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
  const isNumber = exactNumber(text.trim()) !== undefined;
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
          const given = exactNumber(target.value.trim());
          if (given !== undefined) onChange(given);
        }}
      />
    </div>
  );
}
