/** Changes something of a scope with a reason. A refusal stands in the dialog, in the words of the API. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { CONTROLS } from '../../api/controls.ts';
import { APPROVALS } from '../../parts/approvals.tsx';
import { Modal } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { Trouble } from '../../parts/states.tsx';

/** A control is changed within a second, and half a second later where a store has to be ended. */
const ANSWER_MS = 10_000;

type ChangeDialogProps = {
  readonly title: string;
  readonly action: string;
  readonly isDangerous?: boolean;
  /** True until everything that the change needs besides the reason is given. */
  readonly isBlocked?: boolean;
  /** Before the reason. */
  readonly children?: ReactNode;
  /** Behind the reason. */
  readonly more?: ReactNode;
  readonly onSend: (reason: string, signal: AbortSignal) => Promise<unknown>;
  readonly onClose: () => void;
};

export function ChangeDialog(props: ChangeDialogProps) {
  const { title, action, isDangerous = false, isBlocked = false, children, more, onClose } = props;
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const change = useMutation({
    mutationFn: (text: string) => props.onSend(text, AbortSignal.timeout(ANSWER_MS)),
    networkMode: 'always',
    onSuccess: () => {
      onClose();
      const keys = [CONTROLS, [APPROVALS]];
      return Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
  const isReady = reason.trim() !== '' && !isBlocked && !change.isPending;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) change.mutate(reason.trim());
  };
  return (
    <Modal title={title} isHeld={change.isPending} onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        {children}
        <Field
          label="Reason"
          value={reason}
          onChange={setReason}
          isRequired
          hint="For colleagues and the audit log."
        />
        {more}
        {change.error === null ? null : <Trouble error={change.error} />}
        <div className="row end">
          <button type="button" disabled={change.isPending} onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={isDangerous ? 'danger' : 'primary'} disabled={!isReady}>
            {change.isPending ? 'Sending …' : action}
          </button>
        </div>
      </form>
    </Modal>
  );
}
