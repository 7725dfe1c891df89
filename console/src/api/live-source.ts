/**
 * Live figures: one connection of server-sent events for all parts of the page that show them, open while one of them is shown
 * and the page is visible. A lost connection is tried again after a growing, random wait.
 */
import { useSyncExternalStore } from 'react';

/** What plots of the last hour are made of. */
type At = { readonly at: string };

export type Live<Figures, Point> = {
  readonly state: 'connecting' | 'live' | 'lost';
  readonly figures: Figures | undefined;
  /** Oldest first: at most an hour. */
  readonly points: readonly Point[];
};

const HOUR_MS = 60 * 60 * 1000;
const POINTS_MAX = 2000;
const WAIT_MS_FIRST = 1000;
const WAIT_MS_MAX = 30_000;

/** @returns a hook, whose components share the connection */
export function createLive<Figures, Point extends At>(
  path: string,
  toPoint: (figures: Figures) => Point,
): () => Live<Figures, Point> {
  let live: Live<Figures, Point> = { state: 'connecting', figures: undefined, points: [] };
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const watchers = new Set<() => void>();

  const set = (change: Partial<Live<Figures, Point>>) => {
    live = { ...live, ...change };
    for (const watcher of watchers) watcher();
  };
  const disconnect = () => {
    source?.close();
    source = undefined;
    clearTimeout(timer);
  };
  const connect = () => {
    if (source !== undefined || watchers.size === 0 || document.hidden) return;
    clearTimeout(timer);
    source = new EventSource(path);
    source.addEventListener('history', ({ data }) => {
      set({ points: merge(JSON.parse(data), live.points) });
    });
    source.addEventListener('figures', ({ data }) => {
      failures = 0;
      const figures: Figures = JSON.parse(data);
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
  };
  document.addEventListener('visibilitychange', () => (document.hidden ? disconnect() : connect()));
  const watch = (watcher: () => void) => {
    watchers.add(watcher);
    connect();
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) disconnect();
    };
  };
  return () => useSyncExternalStore(watch, () => live);
}

function merge<Point extends At>(older: readonly Point[], newer: readonly Point[]): Point[] {
  const byTime = new Map([...older, ...newer].map((point) => [point.at, point]));
  const points = [...byTime.values()].sort((a, b) => a.at.localeCompare(b.at));
  const from = Date.parse(points.at(-1)?.at ?? '') - HOUR_MS;
  return points.filter(({ at }) => Date.parse(at) >= from).slice(-POINTS_MAX);
}
