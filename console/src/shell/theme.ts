/** Light, dark, or as the system has it: an attribute of the page, kept in the browser. */
import { useSyncExternalStore } from 'react';

export const CHOICES = ['system', 'light', 'dark'] as const;
export type Choice = (typeof CHOICES)[number];

const KEY = 'risk-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const watchers = new Set<() => void>();

function read(): Choice {
  const kept = localStorage.getItem(KEY);
  return CHOICES.find((choice) => choice === kept) ?? 'system';
}

let state = { choice: read(), shown: 'light' as 'light' | 'dark' };

function apply(choice: Choice): void {
  const shown = choice === 'system' ? (dark.matches ? 'dark' : 'light') : choice;
  document.documentElement.dataset['theme'] = shown;
  state = { choice, shown };
  for (const watcher of watchers) watcher();
}

apply(read());
dark.addEventListener('change', () => apply(state.choice));

export function chooseTheme(choice: Choice): void {
  localStorage.setItem(KEY, choice);
  apply(choice);
}

export function useTheme(): typeof state {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => state,
  );
}
