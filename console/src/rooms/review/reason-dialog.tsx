/** Asks for the reason of a step, which is required; Enter sends it. */
import { type ReactNode, useId, useState } from 'react';
import { Modal } from '../../parts/dialog.tsx';

/** As the API takes. */
const REASON_CHARS_MAX = 1000;

type ReasonDialogProps = {
  readonly title: string;
  readonly action: string;
  readonly isDangerous?: boolean;
  /** What else there is to know. */
  readonly children?: ReactNode;
  readonly onSend: (reason: string) => void;
  readonly onClose: () => void;
};

export function ReasonDialog(props: ReasonDialogProps) {
  const { title, action, isDangerous, children, onSend, onClose } = props;
  const [reason, setReason] = useState('');
  const fieldId = useId();
  const send = () => {
    const text = reason.trim();
    if (text === '') return;
    onSend(text);
    onClose();
  };
  return (
    <Modal title={title} onClose={onClose}>
      {children}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <label htmlFor={fieldId}>Reason</label>
        <input
          id={fieldId}
          required
          maxLength={REASON_CHARS_MAX}
          value={reason}
          autoComplete="off"
          placeholder="What you saw, in a sentence"
          onChange={({ target }) => setReason(target.value)}
        />
        <div className="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={isDangerous ? 'danger' : 'primary'}
            disabled={reason.trim() === ''}
          >
            {action}
          </button>
        </div>
      </form>
    </Modal>
  );
}
