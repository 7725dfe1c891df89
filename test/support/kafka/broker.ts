/**
 * Real Kafka: a controller and some brokers in KRaft mode, on JDK 17. Maven fetches the programs of `pom.xml` once into
 * ~/.cache/risk-engine, and nothing runs whose SHA-256 is not in `jars.sha256`.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownAccount } from '../../../src/tools/start/services/account.ts';
import { ask, findExecutable } from '../../../src/tools/start/services/executable.ts';
import { freePort } from '../../../src/tools/start/services/free-port.ts';
import { startReady } from '../../../src/tools/start/services/service-process.ts';
import { NotRun } from '../../chaos/support/not-run.ts';
import type { Certificates } from '../certificates.ts';
import { control, type ServiceControl } from '../service-control.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FOLDER = join(homedir(), '.cache', 'risk-engine', 'kafka-4.1.1');
const JDK = 17;
const FETCH_TIMEOUT_MS = 540_000;
/** A JVM starts in three seconds, and in a minute on a machine that is busy. */
const READY_TIMEOUT_MS = 180_000;
/** As `kafka-storage random-uuid` makes them. */
const CLUSTER_ID = 'risk-engine-test-clust';

/** User of the listener with TLS and SASL. */
const LOGIN = { user: 'risk', password: 'a:secret@of%tests' };

export type TestKafka = Awaited<ReturnType<typeof startKafka>>;

/** @returns why no broker runs on this machine, or undefined */
export async function whyNoKafka(): Promise<string | undefined> {
  const java = findExecutable('java', process.env['PATH']);
  const said = java === undefined ? '' : (await ask(java, ['-version'])).stderr;
  const version = Number(/version "(\d+)/.exec(said)?.[1] ?? 0);
  if (version < JDK) {
    const found = version === 0 ? 'no JDK is installed' : `JDK ${version} is installed`;
    return `Kafka needs JDK ${JDK}, and ${found}: apt-get install openjdk-17-jre-headless`;
  }
  if (isWhole(FOLDER) || findExecutable('mvn', process.env['PATH']) !== undefined) return undefined;
  return 'Maven fetches Kafka, and is not installed: apt-get install maven';
}

/** @param folder for data and logs */
export async function startKafka(
  folder: string,
  {
    brokers: count = 1,
    certificates,
    signal,
  }: {
    readonly brokers?: number;
    readonly certificates?: Certificates | undefined;
    readonly signal: AbortSignal;
  },
) {
  const missing = await whyNoKafka();
  if (missing !== undefined) throw new NotRun(missing);
  await fetchJars(signal);
  await using opened = new AsyncDisposableStack();
  const controllerPort = await freePort();
  const quorum = `1@127.0.0.1:${controllerPort}`;
  const common = { folder, quorum, replicas: Math.min(2, count), certificates, signal };
  const securePorts: number[] = [];
  opened.use(await startNode({ ...common, id: 1, role: 'controller', port: controllerPort }));
  const brokers = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const [port, securePort] = [await freePort(), await freePort()];
      securePorts.push(securePort);
      return opened.use(
        await startNode({ ...common, id: at + 2, role: 'broker', port, securePort }),
      );
    }),
  );
  const owned = opened.move();
  return {
    /** KAFKA_URL of all brokers. */
    url: `kafka://${brokers.map(({ url }) => url).join(',')}`,
    /** Where certificates were given: the brokers' listeners with TLS and SASL, with user and password. */
    secureUrl: certificates && secureUrlOf(securePorts, certificates),
    brokers,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function secureUrlOf(ports: readonly number[], { authority }: Certificates): string {
  const login = `${LOGIN.user}:${encodeURIComponent(LOGIN.password)}`;
  const brokers = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return `kafkas://${login}@${brokers}?sslrootcert=${authority}`;
}

type Node = {
  readonly folder: string;
  readonly quorum: string;
  readonly id: number;
  readonly role: 'controller' | 'broker';
  readonly port: number;
  /** Port of a broker's listener with TLS and SASL, where there are certificates. */
  readonly securePort?: number;
  readonly certificates: Certificates | undefined;
  /** Copies of each partition. */
  readonly replicas: number;
  readonly signal: AbortSignal;
};

async function startNode(node: Node): Promise<ServiceControl & AsyncDisposable> {
  const own = join(node.folder, `kafka-${node.id}`);
  const logFile = join(node.folder, `kafka-${node.id}.log`);
  mkdirSync(own, { recursive: true });
  const settings = join(own, 'server.properties');
  writeFileSync(settings, propertiesOf(node, join(own, 'data')));
  const java = findExecutable('java', process.env['PATH']) ?? 'java';
  const run = (main: string) => ['-Xmx384m', '-cp', `${FOLDER}/*`, main];
  const user = `SCRAM-SHA-512=[name=${LOGIN.user},password=${LOGIN.password}]`;
  const format = ['format', '--ignore-formatted', '-t', CLUSTER_ID, '-c', settings];
  if (node.certificates !== undefined) format.push('--add-scram', user);
  const formatting = [...run('kafka.tools.StorageTool'), ...format];
  const formatted = await ask(java, formatting, { timeoutMs: READY_TIMEOUT_MS });
  if (!formatted.ok) throw new Error(`Kafka's storage: ${formatted.stdout}${formatted.stderr}`);
  return await control(join(own, 'data'), async () => {
    const before = readLog(logFile).length;
    const spec = {
      name: `Kafka ${node.role} ${node.id}`,
      program: java,
      args: [...run('kafka.Kafka'), settings],
      account: ownAccount(),
      cwd: own,
      logFile,
      isReady: () => /Kafka Server started/.test(readLog(logFile).slice(before)),
      timeoutMs: READY_TIMEOUT_MS,
    };
    const service = await startReady(spec, node.signal);
    return { url: `127.0.0.1:${node.port}`, service };
  });
}

const readLog = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

function propertiesOf(node: Node, data: string): string {
  const { quorum, id, role, port, replicas, securePort, certificates } = node;
  const listener = role === 'controller' ? 'CONTROLLER' : 'PLAINTEXT';
  const isSecure = certificates !== undefined && securePort !== undefined;
  return [
    `process.roles=${role}`,
    `node.id=${id}`,
    `controller.quorum.voters=${quorum}`,
    `listeners=${listener}://127.0.0.1:${port}${isSecure ? `,SASL_SSL://127.0.0.1:${securePort}` : ''}`,
    ...(isSecure ? secureProperties(certificates) : []),
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
    `log.dirs=${data}`,
    `default.replication.factor=${replicas}`,
    `offsets.topic.replication.factor=${replicas}`,
    'offsets.topic.num.partitions=4',
    `transaction.state.log.replication.factor=${replicas}`,
    'transaction.state.log.min.isr=1',
    'auto.create.topics.enable=false',
    // A test may deny a topic.
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found=true',
    // A broker that dies is noticed within seconds, as a test waits for it.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    'group.min.session.timeout.ms=1000',
  ].join('\n');
}

/** SCRAM with the user that the storage was formatted with, PLAIN with the same one; both encrypted. */
function secureProperties({ authority, server, key }: Certificates): string[] {
  const keystore = join(dirname(server), 'keystore.pem');
  writeFileSync(keystore, readFileSync(key, 'utf8') + readFileSync(server, 'utf8'));
  const security = 'org.apache.kafka.common.security';
  const of = (name: string) => `listener.name.sasl_ssl.${name}`;
  return [
    'sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN',
    `${of('scram-sha-512.sasl.jaas.config')}=${security}.scram.ScramLoginModule required;`,
    `${of('plain.sasl.jaas.config')}=${security}.plain.PlainLoginModule required user_${LOGIN.user}="${LOGIN.password}";`,
    ...['keystore', 'truststore'].map((store) => `ssl.${store}.type=PEM`),
    `ssl.keystore.location=${keystore}`,
    `ssl.truststore.location=${authority}`,
  ];
}

async function fetchJars(signal: AbortSignal): Promise<void> {
  if (!isWhole(FOLDER)) {
    const work = `${FOLDER}.${process.pid}`;
    const maven = findExecutable('mvn', process.env['PATH']) ?? 'mvn';
    const copy = ['-q', '-B', '-f', join(HERE, 'pom.xml'), 'dependency:copy-dependencies'];
    const { HOME, http_proxy, https_proxy, JAVA_HOME } = process.env;
    const given = Object.entries({ HOME, http_proxy, https_proxy, JAVA_HOME });
    const answer = await ask(maven, [...copy, `-DoutputDirectory=${work}`], {
      environment: Object.fromEntries(given.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))),
      timeoutMs: FETCH_TIMEOUT_MS,
      signal,
    });
    if (!answer.ok) throw new NotRun(`Maven did not fetch Kafka: ${answer.stdout.slice(0, 300)}`);
    try {
      renameSync(work, FOLDER);
    } catch {
      // Another process that was faster may read the folder by now.
      rmSync(isWhole(FOLDER) ? work : FOLDER, { recursive: true, force: true });
      if (existsSync(work)) renameSync(work, FOLDER);
    }
  }
  for (const [digest = '', name = ''] of listed()) {
    const found = createHash('sha256')
      .update(readFileSync(join(FOLDER, name)))
      .digest('hex');
    if (found !== digest) throw new Error(`${name} has the SHA-256 ${found}, not ${digest}`);
  }
}

const listed = () =>
  readFileSync(join(HERE, 'jars.sha256'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(/ +/));

function isWhole(folder: string): boolean {
  try {
    const there = new Set(readdirSync(folder));
    return listed().every(([, name = '']) => there.has(name));
  } catch {
    return false;
  }
}
