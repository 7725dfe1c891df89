/** Runs calls one after the other; an urgent one passes those that wait, and waits for the one that runs. */

export type Turn = <T>(call: () => Promise<T>) => Promise<T>;

export function openTurns(): { readonly inTurn: Turn; readonly urgently: Turn } {
  const urgent: (() => void)[] = [];
  const others: (() => void)[] = [];
  let isBusy = false;
  const through =
    (queue: (() => void)[]): Turn =>
    async (call) => {
      if (isBusy) await new Promise<void>((resolve) => queue.push(resolve));
      isBusy = true;
      try {
        return await call();
      } finally {
        // The turn is handed on without being free meanwhile, so that no later call takes it.
        const next = urgent.shift() ?? others.shift();
        if (next === undefined) isBusy = false;
        else next();
      }
    };
  return { inTurn: through(others), urgently: through(urgent) };
}
