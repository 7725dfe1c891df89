/**
 * Searches that a person has named, kept in this browser for the person: an address can be sent to others and bookmarked
 * already, and these are the shortcuts of one desk.
 */
import { useState } from 'react';

export type SavedFilter = {
  readonly name: string;
  /** The search of the address: filters and order. */
  readonly query: string;
};

const KEY = 'risk-saved-filters';
export const NAME_CHARS_MAX = 60;
export const SAVED_MAX = 30;

/** @param owner each person who uses this browser has searches of their own */
export function useSavedFilters(owner: string) {
  const [saved, setSaved] = useState(() => read().get(owner) ?? []);
  const keep = (next: readonly SavedFilter[]) => {
    const ours = next.slice(0, SAVED_MAX);
    setSaved(ours);
    write(read().set(owner, ours));
  };
  const without = (name: string) => saved.filter((one) => one.name !== name);
  return {
    saved,
    /** Saves under a name, in place of what has it; the newest comes first. */
    save: (name: string, query: string) => keep([{ name, query }, ...without(name)]),
    forget: (name: string) => keep(without(name)),
  };
}

/** A map, as a person may be named like a member of every object, as `constructor`. */
type ByOwner = Map<string, readonly SavedFilter[]>;

/** Nothing where the browser keeps nothing, or keeps what somebody else wrote. */
function read(): ByOwner {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof value !== 'object' || value === null) return new Map();
    return new Map(
      Object.entries(value).map(([owner, list]) => [
        owner,
        Array.isArray(list) ? list.filter(isSaved) : [],
      ]),
    );
  } catch {
    return new Map();
  }
}

function isSaved(value: unknown): value is SavedFilter {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'name' in value &&
    typeof value.name === 'string' &&
    'query' in value &&
    typeof value.query === 'string'
  );
}

function write(all: ByOwner): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(all)));
  } catch {
    // A browser that keeps nothing forgets them with the page.
  }
}
