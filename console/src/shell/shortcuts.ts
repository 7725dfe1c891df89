/** Keys of the pages: a letter, or `g` and a letter. They are left alone while somebody types or another key is held. */
import { useEffect, useRef } from 'react';

export type Shortcuts = Readonly<Record<string, () => void>>;

/** The second letter of a sequence comes within this time. */
const SEQUENCE_MS = 1000;

const registered = new Set<{ readonly current: Shortcuts }>();
let prefixAtMs = Number.NEGATIVE_INFINITY;

document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  const isTyping =
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  if (document.querySelector('dialog[open]') !== null) return;
  const isSecond = performance.now() - prefixAtMs < SEQUENCE_MS;
  prefixAtMs = Number.NEGATIVE_INFINITY;
  if (key === 'g' && !isSecond) {
    prefixAtMs = performance.now();
    return;
  }
  const name = isSecond ? `g ${key}` : key;
  for (const { current } of registered) {
    const run = current[name];
    if (run === undefined) continue;
    event.preventDefault();
    run();
  }
});

/** Keys of a part of the page, as long as it is shown. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    registered.add(latest);
    return () => {
      registered.delete(latest);
    };
  }, []);
}
