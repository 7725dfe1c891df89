/** A draft that was saved elsewhere meanwhile: what changed there, and whose text stays. */
import { diffRuleSets } from '../../../../src/rooms/rules/diff-rule-sets.ts';
import { Modal } from '../../parts/dialog.tsx';
import { Lines } from './changes.tsx';
import type { Source } from './source.ts';

type ConflictProps = {
  readonly before: Source;
  readonly newer: Source;
  readonly onTake: () => void;
  readonly onOverwrite: () => void;
  readonly onClose: () => void;
};

export function Conflict({ before, newer, onTake, onOverwrite, onClose }: ConflictProps) {
  return (
    <Modal title="The draft was saved elsewhere meanwhile" onClose={onClose}>
      <p>Since you opened it, perhaps in another window, this has changed:</p>
      <Lines lines={diffRuleSets(before, newer)} />
      <p className="muted">
        Taking what is saved drops what you have typed here. Saving yours over it drops those
        changes.
      </p>
      <div className="row end">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="danger" onClick={onOverwrite}>
          Save mine over it
        </button>
        <button type="button" className="primary" onClick={onTake}>
          Take what is saved
        </button>
      </div>
    </Modal>
  );
}
