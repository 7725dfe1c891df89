/** Requests at a steady rate, whether the engine answers or not. */
import { setTimeout as delay } from 'node:timers/promises';
import { makeBatches } from '../chaos/support/load.ts';

const IN_FLIGHT_MAX = 400;
const TIMEOUT_MS = 8000;

export type Traffic = ReturnType<typeof startTraffic>;

export function startTraffic(url: string, apiKey: string, signal: AbortSignal) {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  /** Requests a second. */
  const rates = { posts: 25, reads: 25 };
  const pause = { isOn: false };
  let inFlight = 0;
  const ask = async (
    path: string,
    body?: string | Buffer<ArrayBuffer>,
    method = body === undefined ? 'GET' : 'POST',
  ) => {
    if (inFlight >= IN_FLIGHT_MAX) return undefined;
    inFlight += 1;
    try {
      const response = await fetch(`${url}${path}`, {
        headers: typeof body === 'object' ? { ...headers, 'content-encoding': 'gzip' } : headers,
        method,
        body: body ?? null,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    } finally {
      inFlight -= 1;
    }
  };
  let made = 0;
  /** Each call makes other transactions. */
  const batches = (size: number, corridor?: string) =>
    makeBatches({ seed: `alerts/${made++}`, batch: size, spoiled: undefined, corridor });
  const small = batches(5);
  const post = (body: string | Buffer<ArrayBuffer>) => ask('/v1/transactions/batch', body);
  const drive = async (name: keyof typeof rates, send: () => Promise<unknown>) => {
    while (!signal.aborted) {
      if (!pause.isOn) void send();
      await delay(1000 / rates[name], undefined, { signal }).catch(() => undefined);
    }
  };
  void drive('posts', () => post(small.next().value?.body ?? ''));
  void drive('reads', () => ask('/v1/transactions?limit=1'));
  return { ask, post, rates, batches, pause };
}
