/**
 * Parses REDIS_URL: one server, or some nodes of a cluster, separated by commas. The listed nodes name the other nodes, so
 * user, password and TLS apply to the whole cluster, and every listed node must give the same ones.
 */
import { BAD_ESCAPE, decodeLogin, type TlsFiles, tlsFaults } from './client-tls.ts';
import { Failure } from './failure.ts';

export type RedisUrl = ReturnType<typeof parseRedisUrl>;

const PORT = 6379;

/**
 * `login` is undefined without a password, and `tls` where the connection is not encrypted.
 * @throws Failure that says what is wrong and never contains a password
 */
export function parseRedisUrl(text: string) {
  const [first, ...others] = text.split(',').map(parseNode);
  if (first === undefined) throw bad('names no server');
  for (const [index, other] of others.entries()) {
    if (other.shared !== first.shared) {
      throw bad(`node ${index + 2} names another scheme, user, password or file than node 1`);
    }
  }
  if (others.length > 0 && first.database !== 0) throw bad('a cluster has no database but 0');
  const { login, database, tls } = first;
  return { nodes: [first, ...others].map(({ node }) => node), login, database, tls };
}

function parseNode(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw bad('must be redis://[USER:PASSWORD@]HOST[:PORT], or rediss:// for TLS');
  }
  if (!/^\/?\d{0,4}$/.test(url.pathname)) throw bad('the path is the number of a database');
  const { username, password } = url;
  const files: TlsFiles = Object.fromEntries(url.searchParams);
  const isSecure = url.protocol === 'rediss:';
  const [fault] = tlsFaults(Object.fromEntries(url.searchParams), isSecure ? undefined : 'rediss');
  if (fault !== undefined) throw bad(fault);
  if (username !== '' && password === '') throw bad('names a user without a password');
  return {
    // IPv6 addresses stand in brackets.
    node: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || PORT) },
    login: password === '' ? undefined : { username: decode(username), password: decode(password) },
    database: Number(url.pathname.slice(1)),
    tls: isSecure ? files : undefined,
    shared: [url.protocol, username, password, url.pathname.slice(1), url.search].join(' '),
  };
}

function decode(text: string): string {
  const decoded = decodeLogin(text);
  if (decoded === undefined) throw bad(BAD_ESCAPE);
  return decoded;
}

function bad(message: string): Failure {
  return new Failure('permanent', 'BAD_REDIS_URL', message);
}
