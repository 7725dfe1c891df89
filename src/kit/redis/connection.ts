/**
 * Connections to Redis. Commands and blocking reads never share one: a blocked connection holds every
 * command behind it. RESP2 throughout, so that typed methods, pipelines and scripts reply alike.
 */
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { readCertificates } from '../words/client-tls.ts';
import { adviseStore, Failure, toError } from '../words/failure.ts';
import { parseRedisUrl, type RedisUrl } from '../words/redis-url.ts';
import { PacedCluster, PacedConnector, retryMs } from './connector.ts';
import { createLeave } from './wrong-server.ts';

/** Enough bytecode for V8 to allocate the feedback that a look-up needs; 8 suffice. */
const LOOK_UPS = 1000;

restoreFastStrings();

export type RedisClient = Redis | Cluster;

type SlotCall<Part> = {
  readonly parts: readonly Part[];
  /** Index of each item in the list. */
  readonly indices: readonly number[];
};

/** Connections to the servers that take writes: the masters of a cluster, or the single node. */
export function writableNodes(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

const KEEP_ALIVE_MS = 10_000;

/** Command timeouts for which a connection may stay silent while it owes an answer. */
const SILENCE_TIMEOUTS = 2;

/** Without keys that ioredis' cluster types cannot hold as an explicit `undefined`. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

const base: ConnectionOptions = {
  protocol: 2,
  Connector: PacedConnector,
  enableAutoPipelining: false,
  keepAlive: KEEP_ALIVE_MS,
  retryStrategy: retryMs,
};

/**
 * A connection for commands. A command that cannot be sent or answered in time fails: the caller works without
 * Redis. Nothing is queued while offline and nothing is silently sent again. A connection without an
 * answer for too long is closed: the route to Redis may be gone although no process closed the connection.
 */
export function openCommands(url: string, timeoutMs: number): RedisClient {
  const options = {
    ...base,
    commandTimeout: timeoutMs,
    socketTimeout: timeoutMs * SILENCE_TIMEOUTS,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
  };
  return open(url, options, GatheringRedis, CommandCluster);
}

/**
 * Resolves once a new connection is ready, so that a starting process does not take it for an outage, and after
 * `timeoutMs` in any case: commands then report the error.
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
 * A connection for one blocking reader. It has no commandTimeout or blockingTimeout: those abandon a reply that
 * the server has already delivered. A dead socket is found by socketTimeout, above twice the block. A lost
 * connection fails what is in flight: with maxRetriesPerRequest null, and nothing sent again, the client would
 * forget the blocking read without settling it, and the reader would be deaf for ever.
 */
export function openReader(url: string, blockMs: number): RedisClient {
  return open(url, {
    ...base,
    socketTimeout: blockMs * 2 + 1000,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  });
}

/**
 * A connection for one subscriber. Each failure leads to the next node of the URL, as all nodes of a cluster pass messages on. The
 * subscriber that ioredis has for a cluster opens a lost connection again at once, 10,000 times a second. Who opens the subscriber
 * subscribes whenever the subscriber is ready.
 */
export function openSubscriber(url: string, quietMs: number): RedisClient {
  const { nodes } = parseRedisUrl(url);
  const retryStrategy = (failures: number) => {
    Object.assign(client.options, nodes[failures % nodes.length]);
    return retryMs(failures);
  };
  // ioredis awaits none of its own subscriptions: a connection that is lost meanwhile would end the process.
  const its = { maxRetriesPerRequest: 0, autoResubscribe: false };
  const client = open(url, { ...base, ...its, socketTimeout: quietMs, retryStrategy }, Redis, null);
  return client;
}

export type NodeAddress = { readonly host: string; readonly port: number };

/** Opens a reader's connection to one node of the cluster that `url` names. A lost connection is not opened again. */
export function openNode(url: string, { host, port }: NodeAddress, blockMs: number): Redis {
  const client = new Redis({
    ...base,
    ...readShared(parseRedisUrl(url)),
    host,
    port,
    connectTimeout: blockMs,
    socketTimeout: blockMs * 2 + 1000,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
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
      // ioredis would report that its stream is not writable.
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

/** Fails commands while no node of the cluster is reached, as a single node does; ioredis would queue them without a bound. */
class CommandCluster extends PacedCluster {
  #refusal = new Error('no node of the cluster has been reached yet');

  constructor(nodes: NodeAddress[], options: NodesOptions) {
    super(nodes, options);
    this.on('error', (error: Error & { lastNodeError?: Error }) => {
      this.#refusal = error.lastNodeError ?? error;
    });
  }

  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    // In the status `connect` the client's own commands check whether the cluster is whole.
    const [command] = args;
    if (this.status !== 'ready' && this.status !== 'connect') return refuse(command, this.#refusal);
    const answer = super.sendCommand(...args);
    const { reject } = command;
    // A node that was given up may redirect a command late; ioredis would then carry out a command that has already failed.
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
    clusterRetryStrategy: retryMs,
    // Certificates name hosts, so a node that is listed by name is connected to by that name, not by its address.
    dnsLookup: (name, callback) => callback(null, name),
    // A command whose connection was lost may have been carried out, so it is not sent again.
    retryDelayOnFailover: 0,
  });
  // As no command is sent again, ioredis would not look up which node has taken over the slots of a lost one.
  client.on('-node', () => client.refreshSlotsCache());
  return client;
}

function open(
  url: string,
  options: ConnectionOptions,
  Single: new (options: ConnectionOptions) => Redis = Redis,
  Clustered: ClusterClient | null = PacedCluster,
): RedisClient {
  const parsed = parseRedisUrl(url);
  const { nodes, database } = parsed;
  const all: ConnectionOptions = { ...options, ...readShared(parsed) };
  const client =
    nodes.length > 1 && Clustered !== null
      ? openCluster(Clustered, nodes, all)
      : new Single({
          ...all,
          ...nodes[0],
          db: database,
          // A client would wait until the server has loaded its data, wherever its name leads meanwhile.
          enableReadyCheck: false,
          reconnectOnError: createLeave(),
        });
  // Every failed command reports its own error; without a listener a lost connection would end the process.
  client.on('error', () => undefined);
  return client;
}

/** Options for every node of a cluster, including nodes that are discovered later. */
function readShared({ login, tls }: RedisUrl): ConnectionOptions {
  return { ...login, ...(tls === undefined ? {} : { tls: readCertificates(tls) }) };
}

/** A right that is missing to a script, as Redis 7.0 and later releases write it. */
const IN_SCRIPT = /^ERR (?:The user executing the script can't|ACL failure in script)/;

/** Errors of ioredis as Failures. Redis holds only hints, so all of them are `unavailable`. */
export function toRedisFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const { message } = toError(thrown);
  if (/^Stream isn't writeable/.test(message)) {
    const said = 'Redis does not answer: there is no connection to it now';
    return new Failure('unavailable', 'REDIS_UNAVAILABLE', said, { cause: thrown });
  }
  const code = IN_SCRIPT.test(message) ? 'NOPERM' : /^[A-Z]{3,}(?= )/.exec(message)?.[0];
  const said = adviseStore('REDIS_URL', thrown, code);
  return code === undefined
    ? new Failure('unavailable', 'REDIS_UNAVAILABLE', `Redis does not answer: ${said}`, {
        cause: thrown,
      })
    : new Failure('unavailable', `REDIS_${code}`, said, { cause: thrown });
}

/** Ends a command's `catch`. Throws a Failure. */
export function throwRedisFailure(thrown: unknown): never {
  throw toRedisFailure(thrown);
}

/**
 * ioredis defines a class that extends String. V8 then keeps String.prototype as a dictionary, and a loop over
 * `charCodeAt` takes eight times as long in the whole process: accepting a batch in memory took the API 6.0 µs a
 * transaction instead of 4.4. A look-up through a String object makes V8 build the fast form again.
 * Must be called after ioredis is loaded, and before code that loops over strings is compiled.
 */
function restoreFastStrings(): void {
  const object = Object('');
  for (let done = 0; done < LOOK_UPS; done++) object.charCodeAt(0);
}

/** Splits a list into script calls: a single call, or on a cluster, where slots are spread, a call for each slot. */
export function callsOf<Part extends { readonly slot: number }>(
  redis: RedisClient,
  parts: readonly Part[],
): SlotCall<Part>[] {
  if (parts.length === 0) return [];
  const all = parts.map((_, index) => index);
  if (!(redis instanceof Cluster)) return [{ parts, indices: all }];
  const slots = Map.groupBy(all, (index) => parts[index]?.slot);
  return [...slots.values()].map((indices) => ({
    parts: indices.map((index) => parts[index] as Part),
    indices,
  }));
}
