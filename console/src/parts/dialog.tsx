/** A dialog in front of the page: the browser keeps the focus within it, and Esc closes it. */
import { type ReactNode, useEffect, useId, useRef } from 'react';

type ModalProps = {
  readonly title: string;
  /** True while the dialog must stay open, also against Esc. */
  readonly isHeld?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/** Without buttons of its own. */
export function Modal({ title, isHeld = false, onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
    // Without a choice, the browser focuses the first element that takes the focus, as a table that scrolls.
    dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus();
  }, []);
  useEffect(() => {
    if (!isHeld) return;
    const refuse = (event: KeyboardEvent) => {
      if (event.key === 'Escape') event.preventDefault();
    };
    // The focus is on the document while the button that had it is disabled.
    document.addEventListener('keydown', refuse, { capture: true });
    return () => document.removeEventListener('keydown', refuse, { capture: true });
  }, [isHeld]);
  return (
    <dialog
      ref={dialog}
      onCancel={(event) => {
        if (isHeld) event.preventDefault();
      }}
      // A browser lets a page refuse only the first of the back gestures of a phone.
      onClose={() => (isHeld ? dialog.current?.showModal() : onClose())}
      aria-labelledby={id}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

export function Dialog({ children, ...modal }: ModalProps) {
  return (
    <Modal {...modal}>
      {children}
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </Modal>
  );
}

type ConfirmProps = ModalProps & {
  /** The words of the button. What happens, and whether it can be undone, stands within. */
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => void;
};

/** Asks before something happens; closing is the answer no. */
export function Confirm({ children, action, isDangerous, onConfirm, ...modal }: ConfirmProps) {
  return (
    <Modal {...modal}>
      <div>{children}</div>
      <div className="row end">
        <button type="button" onClick={modal.onClose}>
          Cancel
        </button>
        <button
          type="button"
          className={isDangerous ? 'danger' : 'primary'}
          onClick={() => {
            onConfirm();
            modal.onClose();
          }}
        >
          {action}
        </button>
      </div>
    </Modal>
  );
}
