/** When what people set ends by itself. */
import { Field } from '../../parts/field.tsx';

const MINUTE_MS = 60_000;

/** @param minutes as somebody has typed them */
export const endsAt = (minutes: string) =>
  new Date(Date.now() + Number(minutes) * MINUTE_MS).toISOString();

type EndsProps = {
  readonly minutes: string;
  readonly onChange: (minutes: string) => void;
  readonly isRequired?: boolean;
  readonly hint: string;
};

export function Ends({ minutes, onChange, isRequired = false, hint }: EndsProps) {
  return (
    <Field
      label="Ends after minutes"
      value={minutes}
      onChange={onChange}
      isNumber
      isRequired={isRequired}
      hint={hint}
    />
  );
}
