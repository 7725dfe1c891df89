/**
 * Connections to Redis. Commands and blocking reads never share one: a blocked connection holds every
 * command behind it. RESP2 throughout, so that typed methods, pipelines and scripts reply alike.
 */
import { readFileSync } from 'node:fs';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { Failure } from '../domain/failure.ts';
import { parseRedisUrl, type RedisUrl, type TlsFiles } from '../domain/redis-url.ts';
import { restoreFastStrings } from './fast-strings.ts';

restoreFastStrings();

export type RedisClient = Redis | Cluster;

/** Those that take writes: the masters of a cluster, or the one there is. */
export function writableNodes(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

const RECONNECT_MS_MAX = 1000;
const KEEP_ALIVE_MS = 10_000;
/** How long a client that is told to disconnect waits for the other side, even where there is none. */
const DISCONNECT_MS = 500;

/** Command timeouts that a connection may stay silent while it owes an answer. */
const SILENCE_TIMEOUTS = 2;

/** Without keys that ioredis' cluster types cannot hold as an explicit `undefined`. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

const base: ConnectionOptions = {
  protocol: 2,
  enableAutoPipelining: false,
  keepAlive: KEEP_ALIVE_MS,
  disconnectTimeout: DISCONNECT_MS,
  retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 5), RECONNECT_MS_MAX),
};

/**
 * A connection for commands. A command that cannot be sent or answered in time fails: the caller knows
 * what to do without Redis. Nothing is queued while offline and nothing is silently sent again. A
 * connection that says nothing for longer is given up: its way may be gone although nobody closed it.
 */
export function openCommands(url: string, timeoutMs: number): RedisClient {
  return open(
    url,
    { single: GatheringRedis, cluster: CommandCluster },
    {
      ...base,
      commandTimeout: timeoutMs,
      socketTimeout: timeoutMs * SILENCE_TIMEOUTS,
      connectTimeout: timeoutMs,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    },
  );
}

/**
 * Resolves once a new connection stands, so that a process that has just started does not take it for an
 * outage; or after `timeoutMs` all the same: commands then say what is wrong.
 */
export async function untilReady(client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  client.once('ready', resolve);
  await promise;
  clearTimeout(timer);
  client.off('ready', resolve);
}

/**
 * A connection for one blocking reader. No commandTimeout or blockingTimeout: those abandon a reply
 * that the server has already delivered. A dead socket is found by socketTimeout, above twice the block.
 * A lost connection fails what is in flight: with maxRetriesPerRequest null, and nothing sent again, the
 * client would forget the blocking read without settling it, and the reader would be deaf for ever.
 */
export function openReader(url: string, blockMs: number): RedisClient {
  return open(
    url,
    { single: Redis, cluster: Cluster },
    {
      ...base,
      socketTimeout: blockMs * 2 + 1000,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    },
  );
}

export type NodeAddress = { readonly host: string; readonly port: number };

/** As `openReader`, for one node of the cluster that `url` names; once lost, it is not made again. */
export function openNode(url: string, { host, port }: NodeAddress, blockMs: number): Redis {
  const client = new Redis({
    ...base,
    ...readShared(parseRedisUrl(url)),
    ...{ host, port, connectTimeout: blockMs, socketTimeout: blockMs * 2 + 1000 },
    ...{ maxRetriesPerRequest: 0, retryStrategy: () => null },
  });
  client.on('error', () => undefined);
  return client;
}

/**
 * Commands of one turn of the event loop leave in one write: a request appends to as many streams as it has
 * corridors, and each system call takes Node longer than the command takes the server.
 */
class GatheringRedis extends Redis {
  #isGathering = false;
  /** Why there is no connection: a refused password or certificate, an unreachable server. */
  #refusal: Error | undefined;

  constructor(options: ConnectionOptions) {
    super(options);
    this.on('error', (error) => {
      this.#refusal = error;
    });
    this.on('ready', () => {
      this.#refusal = undefined;
    });
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    const { stream, status } = this;
    if (this.#refusal !== undefined && status !== 'ready' && status !== 'connect') {
      // ioredis would say that its stream is not writable.
      return refuse(args[0], this.#refusal);
    }
    if (!this.#isGathering && stream !== undefined) {
      this.#isGathering = true;
      stream.cork();
      process.nextTick(() => {
        this.#isGathering = false;
        stream.uncork();
      });
    }
    return super.sendCommand(...args);
  }
}

type NodesOptions = Omit<ClusterOptions, 'redisOptions'> & { redisOptions: ConnectionOptions };
type ClusterClient = new (nodes: NodeAddress[], options: NodesOptions) => Cluster;

/** Commands while no node of a cluster is reached fail, as they do on one node: ioredis would keep them without a bound. */
class CommandCluster extends Cluster {
  #refusal = new Error('no node of the cluster has been reached yet');

  constructor(nodes: NodeAddress[], options: NodesOptions) {
    super(nodes, options);
    this.on('error', (error: Error & { lastNodeError?: Error }) => {
      this.#refusal = error.lastNodeError ?? error;
    });
  }

  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    // While it connects, it asks the nodes itself whether the cluster is whole.
    const [command] = args;
    if (this.status !== 'ready' && this.status !== 'connect') return refuse(command, this.#refusal);
    const answer = super.sendCommand(...args);
    const { reject } = command;
    // A node that was given up may redirect what it was sent: it would be carried out elsewhere, late, though it had failed.
    command.reject = (error) => {
      if (!command.isSettled) reject(error);
    };
    return answer;
  }
}

function refuse(command: Parameters<Redis['sendCommand']>[0], why: Error): Promise<unknown> {
  command.reject(why);
  return command.promise;
}

function openCluster(
  Client: ClusterClient,
  nodes: readonly NodeAddress[],
  redisOptions: ConnectionOptions,
): Cluster {
  const client = new Client([...nodes], {
    redisOptions,
    // Certificates are made out to names: a node that is listed by its name is connected to by it.
    dnsLookup: (name, callback) => callback(null, name),
    // A command that was under way when its connection was lost may have been carried out: it is not sent again.
    retryDelayOnFailover: 0,
  });
  // Without a command to send again, ioredis would not look for who has taken the slots of a lost node.
  client.on('-node', () => client.refreshSlotsCache());
  return client;
}

function open(
  url: string,
  Clients: {
    readonly single: new (options: ConnectionOptions) => Redis;
    readonly cluster: ClusterClient;
  },
  options: ConnectionOptions,
): RedisClient {
  const parsed = parseRedisUrl(url);
  const { nodes, database } = parsed;
  const all: ConnectionOptions = { ...options, ...readShared(parsed) };
  const client =
    nodes.length > 1
      ? openCluster(Clients.cluster, nodes, all)
      : new Clients.single({ ...all, ...nodes[0], db: database });
  // Every failed command reports its own error; without a listener a lost connection would end the process.
  client.on('error', () => undefined);
  return client;
}

/** What holds for every node of a cluster, also for those that are found later. */
function readShared({ login, tls }: RedisUrl): ConnectionOptions {
  return { ...login, ...(tls === undefined ? {} : { tls: readCertificates(tls) }) };
}

/** The system's authorities count where no file names others. */
function readCertificates({ sslrootcert, sslcert, sslkey }: TlsFiles): ConnectionOptions['tls'] {
  return {
    ...(sslrootcert === undefined ? {} : { ca: readFileSync(sslrootcert) }),
    ...(sslcert === undefined ? {} : { cert: readFileSync(sslcert) }),
    ...(sslkey === undefined ? {} : { key: readFileSync(sslkey) }),
  };
}

/** What ioredis throws, as a Failure. Redis holds only hints, so all of it is `unavailable`. */
export function toRedisFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = /^[A-Z]{3,}(?= )/.exec(message)?.[0];
  return new Failure(
    'unavailable',
    code === undefined ? 'REDIS_UNAVAILABLE' : `REDIS_${code}`,
    message,
    {
      cause: thrown,
    },
  );
}
