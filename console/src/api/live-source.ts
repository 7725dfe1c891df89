/**
 * Live figures: one connection of server-sent events for all parts of the page that show them, open while one of them is shown
 * and the page is visible. A connection that is lost, or silent for too long, is tried again after a growing, random wait; until
 * then the figures are stale. While the API refuses the events, each try asks for the figures alone.
 */
import { useSyncExternalStore } from 'react';
import { useSilence } from './contact.ts';

/** A point of the plots of the last hour. */
type At = { readonly at: string };

export type Live<Figures, Point> = {
  readonly state: 'connecting' | 'live' | 'stale';
  /** When the figures came, by the browser's clock. */
  readonly atMs: number;
  readonly figures: Figures | undefined;
  /** Oldest first: at most an hour. */
  readonly points: readonly Point[];
};

const HOUR_MS = 60 * 60 * 1000;
const POINTS_MAX = 2000;
const WAIT_MS_FIRST = 1000;
/** Longest wait before the next try. Longer: the page stays stale after the API is back; shorter: more requests to a busy API. */
const WAIT_MS_MAX = 10_000;

type Source<Figures, Point> = {
  readonly path: string;
  readonly toPoint: (figures: Figures) => Point;
  /** Two and a half intervals of the API. Shorter: figures of a busy API are called stale; longer: a lost connection is seen late. */
  readonly silentMsMax: number;
};

/** @returns a hook, whose components share the connection */
export function createLive<Figures, Point extends At>({
  path,
  toPoint,
  silentMsMax,
}: Source<Figures, Point>): () => Live<Figures, Point> {
  let live: Live<Figures, Point> = {
    state: 'connecting',
    atMs: Date.now(),
    figures: undefined,
    points: [],
  };
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
  const lose = () => {
    disconnect();
    set({ state: 'stale' });
    failures += 1;
    // Half of the wait is random, so that the consoles of a restarted API do not return together.
    const waitMs = Math.min(WAIT_MS_FIRST * 2 ** (failures - 1), WAIT_MS_MAX);
    timer = setTimeout(connect, waitMs * (0.5 + Math.random() / 2));
  };
  const ask = async () => {
    const answer = await fetch(path, { headers: { Accept: 'application/json' } });
    if (answer.ok && source === undefined) show(await answer.json());
  };
  const show = (figures: Figures) => {
    const points = merge(live.points, [toPoint(figures)]);
    set({ state: 'live', atMs: Date.now(), figures, points });
  };
  const refuse = () => {
    lose();
    ask().catch(() => undefined);
  };
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(lose, silentMsMax);
  };
  const connect = () => {
    if (source !== undefined || watchers.size === 0 || document.hidden) return;
    if (live.state === 'live') set({ state: 'connecting' });
    source = new EventSource(path);
    listen();
    source.addEventListener('history', ({ data }) => {
      listen();
      set({ points: merge(JSON.parse(data), live.points) });
    });
    source.addEventListener('figures', ({ data }) => {
      failures = 0;
      listen();
      show(JSON.parse(data));
    });
    source.addEventListener('trouble', () => {
      listen();
      set({ state: 'stale' });
    });
    source.addEventListener('error', refuse);
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
  return () => {
    const shown = useSyncExternalStore(watch, () => live);
    const isSilent = useSilence() !== null;
    return isSilent && shown.figures !== undefined ? { ...shown, state: 'stale' } : shown;
  };
}

function merge<Point extends At>(older: readonly Point[], newer: readonly Point[]): Point[] {
  const byTime = new Map([...older, ...newer].map((point) => [point.at, point]));
  const points = [...byTime.values()].sort((a, b) => a.at.localeCompare(b.at));
  const from = Date.parse(points.at(-1)?.at ?? '') - HOUR_MS;
  return points.filter(({ at }) => Date.parse(at) >= from).slice(-POINTS_MAX);
}
