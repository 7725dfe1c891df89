/** Puts a new secret in the place of the present one, and shows it once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Webhook } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Secret } from '../../parts/secret.tsx';
import { Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';

type RotateDialogProps = { readonly webhook: Webhook; readonly onClose: () => void };

export function RotateDialog({ webhook, onClose }: RotateDialogProps) {
  const { webhook_id: id, previous_secret_until: until } = webhook;
  const client = useQueryClient();
  const rotate = useMutation({
    mutationFn: () => ask('POST /v1/webhooks/{id}/rotate', { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
    // The answer has the secret: it goes with the dialog.
    gcTime: 0,
  });
  return (
    <Dialog
      title={rotate.data === undefined ? 'Rotate the secret' : 'The new secret'}
      onClose={onClose}
    >
      {rotate.error === null ? null : <Trouble error={rotate.error} />}
      {rotate.data === undefined ? (
        <>
          <p>
            The present secret signs beside the new one for 24 hours: give the new one to the
            receiver within that time.
          </p>
          {until === null ? null : (
            <p>
              <strong>The secret before the present one stops signing now</strong> instead of{' '}
              <Time at={until} />: a receiver that has no newer one refuses what comes.
            </p>
          )}
          <div className="row end">
            <button
              type="button"
              className="primary"
              disabled={rotate.isPending}
              onClick={() => rotate.mutate()}
            >
              Rotate
            </button>
          </div>
        </>
      ) : (
        <Secret secret={rotate.data.secret}>
          The one before signs, too, until <Time at={rotate.data.previous_secret_until} />.
        </Secret>
      )}
    </Dialog>
  );
}
