/**
 * Clients that hold connections open and send next to nothing: headers, or a body, a byte at a time. They are
 * disconnected soon, and others are served as if they were not there.
 */
import { connect } from 'node:net';
import { percentiles } from '../../../bench/support/percentiles.ts';
import type { Scenario, Stage } from '../support/scenario.ts';

const CONNECTIONS = 200;
const BYTE_EVERY_MS = 500;
const CLOSED_MS_MAX = 12_000;
const GIVE_UP_MS = 30_000;

/** A bar that mutants name. */
export const GOOD_REFUSED = 'attempts of good clients that were refused';

const HEAD = (apiKey: string) =>
  [
    'POST /v1/transactions/batch HTTP/1.1',
    'Host: chaos',
    `Authorization: Bearer ${apiKey}`,
    'Content-Type: application/json',
  ].join('\r\n');

type Slow = 'headers' | 'body';

/** Resolves to the milliseconds after which the server closed the connection. */
function dribble(stage: Stage, slow: Slow): Promise<number> {
  const { engine } = stage;
  const { port } = new URL(engine.apiUrls[0] ?? '');
  const started = performance.now();
  const socket = connect(Number(port), '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<number>();
  const head = HEAD(engine.apiKey);
  socket.write(
    slow === 'headers' ? `${head}\r\nX-Slow: ` : `${head}\r\nContent-Length: 1000\r\n\r\n{`,
  );
  const timer = setInterval(() => socket.write(' '), BYTE_EVERY_MS);
  const giveUp = setTimeout(() => socket.destroy(), GIVE_UP_MS);
  socket.on('error', () => undefined);
  socket.resume();
  socket.on('close', () => {
    clearInterval(timer);
    clearTimeout(giveUp);
    resolve(performance.now() - started);
  });
  return promise;
}

export const slowClients: Scenario = {
  name: 'slow-clients',
  what: `${CONNECTIONS} clients send headers, then ${CONNECTIONS} a body, a byte at a time`,
  plan: () => ({
    schedule: ['headers', 'body'],
    faults: ['slow headers', 'slow bodies'],
    run: async (stage) => {
      for (const slow of ['headers', 'body'] as const) {
        const closed = await Promise.all(
          Array.from({ length: CONNECTIONS }, () => dribble(stage, slow)),
        );
        stage.happened(slow === 'headers' ? 'slow headers' : 'slow bodies', closed.length);
        const slowest = Math.round(percentiles(closed).max);
        stage.bar(`slow ${slow}: last connection let go after, ms`, slowest, {
          atMost: CLOSED_MS_MAX,
        });
      }
    },
    judge: ({ ledger, bar }) => {
      bar('attempts of good clients that broke', ledger.counts.unknown, { exactly: 0 });
      bar(GOOD_REFUSED, ledger.counts.refused, { exactly: 0 });
    },
  }),
};
