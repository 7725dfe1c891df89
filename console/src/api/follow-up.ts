/** Whether the answer of an action may still move the page: not if the person has left the page, or has begun something else. */
import { useState } from 'react';

/** An answer within this time moves the page in any case. Longer: pages move under people; shorter: quick typists lose a step. */
const AT_ONCE_MS = 1000;

let acts = 0;
const note = (event: Event) => {
  const isModifier = event instanceof KeyboardEvent && /^(Shift|Control|Alt|Meta)$/.test(event.key);
  if (!isModifier) acts += 1;
};
for (const name of ['keydown', 'input', 'click']) {
  document.addEventListener(name, note, { passive: true, capture: true });
}

const openDialog = () => document.querySelector('dialog[open]');

/** Called when an action is sent. @returns whether its answer may move the page */
export function followUp(): () => boolean {
  const { href } = location;
  const [known, dialog, sentAtMs] = [acts, openDialog(), performance.now()];
  return () => {
    const isUntouched = acts === known || performance.now() - sentAtMs < AT_ONCE_MS;
    return location.href === href && isUntouched && [null, dialog].includes(openDialog());
  };
}

/** A wish that is made anew each time somebody presses the key of an action whose answer is not there yet. */
export function useWish() {
  const [wish] = useState(() => {
    let holds = () => false;
    return {
      make: () => {
        holds = followUp();
      },
      holds: () => holds(),
    };
  });
  return wish;
}
