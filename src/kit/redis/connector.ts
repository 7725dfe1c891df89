/**
 * Opens the sockets of ioredis. The client of a cluster connects to a lost node again with the next command and does not wait,
 * so a node that could not be reached is refused here until its wait is over.
 */
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Cluster, type RedisOptions } from 'ioredis';
import { ADDRESS_MS, addressTime } from '../process/address-time.ts';

/** Longer: a Redis that is back is found later. Shorter: processes ask one that is away more often. */
const RETRY_MS_MAX = 1000;
const RETRY_MS_MIN = 100;

/** How long a disconnecting client waits for the other side, even where there is none. */
const DISCONNECT_MS = 500;

/** The wait before a server is connected to again, after so many failures in a row. */
export function retryMs(failures: number): number {
  return Math.min(RETRY_MS_MIN * 2 ** (failures - 1), RETRY_MS_MAX);
}

type Wait = { readonly failures: number; readonly untilMs: number; readonly why: Error };

/** Servers that this process could not reach the last time, by `host:port`. */
const waits = new Map<string, Wait>();

export class PacedConnector extends AbstractConnector {
  readonly #options: RedisOptions;

  constructor(options: unknown) {
    super(DISCONNECT_MS);
    this.#options = options as RedisOptions;
  }

  override async connect(): Promise<Socket> {
    const { host = '127.0.0.1', port = 6379, tls, retryStrategy } = this.#options;
    const name = `${host}:${port}`;
    const wait = waits.get(name);
    // A client with a retry strategy waits by itself, and an error here would end that client.
    if (!retryStrategy && wait !== undefined && performance.now() < wait.untilMs) throw wait.why;
    const time = addressTime(this.#options.connectTimeout ?? 2 * ADDRESS_MS);
    const stream = tls
      ? connectTls({ host, port, ...time, ...tls })
      : createConnection({ host, port, ...time });
    this.connecting = true;
    this.stream = stream;
    stream.once('error', (error) => {
      this.firstError = error;
    });
    stream.once('close', () => {
      const failures = (waits.get(name)?.failures ?? 0) + 1;
      const why = this.firstError ?? new Error(`${name} gave no answer`);
      // A balancer without servers accepts and closes, so only an answer proves that the server is there.
      if (stream.bytesRead > 0) waits.delete(name);
      else waits.set(name, { failures, untilMs: performance.now() + retryMs(failures), why });
    });
    return stream;
  }
}

/** Reads which node has which slots again at most once a wait: each command to a lost node, or to a moved slot, asks for it. */
export class PacedCluster extends Cluster {
  #untilMs = 0;

  override refreshSlotsCache(callback?: Parameters<Cluster['refreshSlotsCache']>[0]): void {
    // The client itself asks with a callback, as it connects.
    if (callback === undefined && performance.now() < this.#untilMs) return;
    this.#untilMs = performance.now() + RETRY_MS_MIN;
    super.refreshSlotsCache(callback);
  }
}
