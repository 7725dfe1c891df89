/** State of the replica in `/v1/status` and `/readyz`. */
import { z } from 'zod';

export const replicaStatusSchema = z
  .object({
    state: z.enum(['up', 'lagging', 'down']).meta({
      description:
        'Lagging: further behind than RISK_REPLICA_LAG_MS_MAX. Down: it does not answer, or is not a standby of this Postgres. In both states the primary answers the reads of the replica. Of several replicas the freshest that answers.',
    }),
    lag_ms: z.int().nullable().meta({
      description:
        'The replica holds everything that was committed longer ago than this, counted, while the primary is away, from when it was last seen. Null before the first check.',
    }),
  })
  .meta({ id: 'ReplicaStatus' })
  .nullable()
  .meta({ description: 'Null where no replica is configured.' });

export type ReplicaStatus = NonNullable<z.infer<typeof replicaStatusSchema>>;
