/** Alerts as a real Prometheus tells them, with the time of each change, and as a real Alertmanager sends them on. */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export type Change = {
  /** Alert, rule and, of an objective, its name. */
  readonly key: string;
  readonly atMs: number;
  readonly fires: boolean;
};

type Told = { readonly labels: Readonly<Record<string, string>>; readonly state: string };

const POLL_MS = 200;

export const keyOf = ({
  alertname,
  severity,
  scale,
  window,
  slo,
}: Readonly<Record<string, string>>) =>
  [alertname, slo, severity, scale ?? window].filter((part) => part !== undefined).join(' ');

/** Asks Prometheus again and again which alerts fire, until the signal. */
export function watchAlerts(url: string, signal: AbortSignal) {
  const changes: Change[] = [];
  let firing = new Set<string>();
  const look = async () => {
    const response = await fetch(`${url}/api/v1/alerts`, { signal });
    const { data } = (await response.json()) as { data: { alerts: Told[] } };
    const now = new Set(
      data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => keyOf(labels)),
    );
    const atMs = performance.now();
    for (const key of now) if (!firing.has(key)) changes.push({ key, atMs, fires: true });
    for (const key of firing) if (!now.has(key)) changes.push({ key, atMs, fires: false });
    firing = now;
  };
  const run = async () => {
    while (!signal.aborted) {
      await look().catch(() => undefined);
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  void run();
  return { changes, isFiring: (key: string) => firing.has(key) };
}

type Notification = {
  readonly receiver: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
};

/** Takes what Alertmanager sends. */
export async function receiveNotifications(port: number) {
  const received = new Map<string, Set<string>>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { receiver, alerts } = JSON.parse(Buffer.concat(chunks).toString()) as Notification;
    for (const { status, labels } of alerts) {
      const key = keyOf(labels);
      if (status === 'firing') received.set(key, (received.get(key) ?? new Set()).add(receiver));
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    receiversOf: (key: string) => [...(received.get(key) ?? [])],
    [Symbol.dispose]: () => void server.close(),
  };
}
