/**
 * Parses KAFKA_URL: `kafka[s]://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…][?NAME=VALUE&…]`. The listed brokers name the other brokers,
 * so user, password and TLS apply to all.
 */
import { BAD_ESCAPE, decodeLogin, type TlsFiles, tlsFaults } from './client-tls.ts';

/** The first is the default. */
const MECHANISMS = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'] as const;

export type KafkaUrl = ReturnType<typeof readKafkaUrl>['url'];

const SHAPE = /^kafka(s?):\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\?(.*))?$/;
const BROKER = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;
const PORT_MAX = 65_535;
const SAID_SHAPE =
  'must be kafka://[USER:PASSWORD@]HOST:PORT, with commas between brokers, or kafkas:// for TLS';

/**
 * All problems of a text, none of which contains a password; `url` is what could be read. Its `login` is undefined without a password,
 * and its `tls` where the connection is not encrypted.
 */
export function readKafkaUrl(text: string) {
  const problems: string[] = [];
  const parts = SHAPE.exec(text);
  const [, secure = '', userinfo, hosts = '', query = ''] = parts ?? [];
  const found = hosts.split(',').map((host) => BROKER.exec(host));
  const isPlain = secure === '';
  if (parts === null || found.some((broker) => Number(broker?.[3] ?? PORT_MAX + 1) > PORT_MAX)) {
    problems.push(SAID_SHAPE);
  }
  const { mechanism, ...files } = Object.fromEntries(new URLSearchParams(query));
  const login = readLogin(userinfo, mechanism, isPlain, problems);
  const tls: TlsFiles | undefined = isPlain ? undefined : files;
  problems.push(...tlsFaults(files, isPlain ? 'kafkas' : undefined, ['mechanism']));
  const brokers = found.map((broker) => ({
    host: broker?.[1] ?? broker?.[2] ?? '',
    port: Number(broker?.[3]),
  }));
  return { url: { brokers, login, tls }, problems };
}

function readLogin(
  userinfo: string | undefined,
  given: string | undefined,
  isPlain: boolean,
  problems: string[],
) {
  const mechanism = MECHANISMS.find((known) => known === (given ?? MECHANISMS[0]));
  if (mechanism === undefined) {
    problems.push(`mechanism must be ${MECHANISMS.join(', ')}, not '${given}'`);
  }
  if (userinfo === undefined) {
    if (given !== undefined) problems.push('mechanism needs a user and a password');
    return undefined;
  }
  const [user = '', ...rest] = userinfo.split(':');
  const [username, password] = [decodeLogin(user), decodeLogin(rest.join(':'))];
  if (username === undefined || password === undefined) {
    problems.push(BAD_ESCAPE);
  }
  if (password === '') problems.push('names a user without a password');
  if (username === '') problems.push('names a password without a user');
  if (mechanism === 'PLAIN' && isPlain) {
    problems.push('PLAIN sends the password as it is, so it is for kafkas:// alone');
  }
  return {
    username: username ?? '',
    password: password ?? '',
    mechanism: mechanism ?? MECHANISMS[0],
  };
}
