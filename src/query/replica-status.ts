/** What `/v1/status` and `/readyz` say of the replica. */
import { z } from 'zod';

export const replicaStatusSchema = z
  .object({
    state: z.enum(['up', 'lagging', 'down']).meta({
      description:
        'Lagging: further behind than RISK_REPLICA_LAG_MS_MAX. Down: it does not answer, or is no standby of this Postgres. In both the primary answers what the replica would.',
    }),
    lag_ms: z.int().nullable().meta({
      description:
        'It held all that was committed so long ago, when it was last asked; null before the first time.',
    }),
  })
  .nullable()
  .meta({ id: 'ReplicaStatus', description: 'Null where none is configured.' });

export type ReplicaStatus = NonNullable<z.infer<typeof replicaStatusSchema>>;
