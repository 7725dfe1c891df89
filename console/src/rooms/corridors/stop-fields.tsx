/** The fields of a stop besides its reason: the message that refused clients read, and when the stop ends by itself. */
import { useState } from 'react';
import { serverMs } from '../../api/server-time.ts';
import { Field } from '../../parts/field.tsx';

const MINUTE_MS = 60_000;

/** @param minutes as somebody has typed them */
export const endsAt = (minutes: string) =>
  new Date(serverMs() + Number(minutes) * MINUTE_MS).toISOString();

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

/** Fields for the message and the end of a stop, and what they hold as the API takes it: an empty field is left out. */
export function useStopFields(messageHint: string, endsHint: string) {
  const [message, setMessage] = useState('');
  const [minutes, setMinutes] = useState('');
  const fields = (
    <>
      <Field label="Message" value={message} onChange={setMessage} hint={messageHint} />
      <Ends minutes={minutes} onChange={setMinutes} hint={endsHint} />
    </>
  );
  const said = () => ({
    message: message.trim() === '' ? undefined : message.trim(),
    ends_at: minutes === '' ? undefined : endsAt(minutes),
  });
  return { fields, said };
}
