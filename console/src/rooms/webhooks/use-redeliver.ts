/** Sends an event again, under its id, whatever became of it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { WebhookDelivery } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';

export function useRedeliver(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ delivery_id }: Pick<WebhookDelivery, 'delivery_id'>) =>
      ask('POST /v1/webhooks/{id}/deliveries/{delivery_id}/redeliver', {
        path: { id, delivery_id },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ['webhooks'] }),
  });
}
