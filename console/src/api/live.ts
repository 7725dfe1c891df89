/**
 * The live figures: one connection of server-sent events for all parts of the page that show them, open while one of them is
 * shown and the page is visible. A lost connection is tried again after a growing, random wait.
 */
import { useSyncExternalStore } from 'react';
import type { LiveFigures } from '../../../src/client/api-types.ts';

/** What plots of the last hour are made of. */
export type Point = {
  readonly at: string;
  readonly accepted: number;
  readonly scored: number;
  readonly dead_lettered: number;
  readonly pending: number | null;
  readonly lag_seconds: number | null;
};

export type Live = {
  readonly state: 'connecting' | 'live' | 'lost';
  readonly figures: LiveFigures | undefined;
  /** Oldest first: at most an hour. */
  readonly points: readonly Point[];
};

const HOUR_MS = 60 * 60 * 1000;
const POINTS_MAX = 2000;
const WAIT_MS_FIRST = 1000;
const WAIT_MS_MAX = 30_000;

let live: Live = { state: 'connecting', figures: undefined, points: [] };
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
const watchers = new Set<() => void>();

function set(change: Partial<Live>): void {
  live = { ...live, ...change };
  for (const watcher of watchers) watcher();
}

function connect(): void {
  if (source !== undefined || watchers.size === 0 || document.hidden) return;
  clearTimeout(timer);
  source = new EventSource('/v1/live');
  source.addEventListener('history', (event) => {
    set({ points: merge(JSON.parse(event.data), live.points) });
  });
  source.addEventListener('figures', (event) => {
    failures = 0;
    const figures: LiveFigures = JSON.parse(event.data);
    set({ state: 'live', figures, points: merge(live.points, [toPoint(figures)]) });
  });
  source.addEventListener('trouble', () => set({ state: 'lost' }));
  source.addEventListener('error', () => {
    disconnect();
    set({ state: 'lost' });
    failures += 1;
    // Half of it is random, so that the consoles of a restarted API do not return together.
    const waitMs = Math.min(WAIT_MS_FIRST * 2 ** (failures - 1), WAIT_MS_MAX);
    timer = setTimeout(connect, waitMs * (0.5 + Math.random() / 2));
  });
}

function disconnect(): void {
  source?.close();
  source = undefined;
  clearTimeout(timer);
}

document.addEventListener('visibilitychange', () => (document.hidden ? disconnect() : connect()));

function toPoint({ status: { at, totals, corridors } }: LiveFigures): Point {
  const { accepted, scored, dead_lettered, pending } = totals;
  const ages = corridors?.map((one) => one.oldest_age_seconds);
  const lag_seconds = ages === undefined ? null : Math.max(0, ...ages);
  return { at, accepted, scored, dead_lettered, pending, lag_seconds };
}

function merge(older: readonly Point[], newer: readonly Point[]): Point[] {
  const byTime = new Map([...older, ...newer].map((point) => [point.at, point]));
  const points = [...byTime.values()].sort((a, b) => a.at.localeCompare(b.at));
  const from = Date.parse(points.at(-1)?.at ?? '') - HOUR_MS;
  return points.filter(({ at }) => Date.parse(at) >= from).slice(-POINTS_MAX);
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  connect();
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) disconnect();
  };
}

export function useLive(): Live {
  return useSyncExternalStore(watch, () => live);
}
