/** Limits: what is counted, and how much passes a second. */

/** Units that are counted. A new unit needs a kind of control, and code that takes the quota. */
export type LimitUnit = 'requests' | 'transactions' | 'inference';
/** Units that API processes count, and units that workers count. */
export const REQUEST_UNITS: readonly LimitUnit[] = ['requests', 'transactions'];
export const WORK_UNITS: readonly LimitUnit[] = ['inference'];

export type Rate = {
  readonly ratePerSecond: number;
  /** Units that may come at once after a pause. */
  readonly burst: number;
};

export type Limit = Rate & { readonly scope: string; readonly kind: LimitUnit };
