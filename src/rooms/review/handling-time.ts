/** How long a review takes, from the times of those that were handled. */

/** From ten on, the second shortest and second longest time enclose the true median with 98 %. */
export const HANDLED_MIN = 10;

type Handled = {
  /** Reviews whose time is known. */
  readonly handled: number;
  /** Their median from claim to decision; null: there is none. */
  readonly medianSeconds: number | null;
};

/** Time of a review; null: too few were handled to say. */
export const handlingTime = ({ handled, medianSeconds }: Handled): number | null =>
  handled < HANDLED_MIN ? null : medianSeconds;
