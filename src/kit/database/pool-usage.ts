/** How far the connections of a pool are used. */
export type PoolUsage = {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
  readonly max: number;
};

/** Share of the connections of a pool that are busy: what *connections* means in alerts, the console and the documents. */
export const busyShare = ({ total, idle, max }: PoolUsage) => (total - idle) / max;
