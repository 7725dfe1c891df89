/** The parameters of a Postgres URL. The driver lets each parameter win over what the engine sends, so a URL has few. */
import { TLS_FILES } from './client-tls.ts';

const TLS = ['sslmode', 'sslnegotiation', 'uselibpqcompat', ...TLS_FILES];
const ALLOWED = ['host', ...TLS];

/** Advice in place of parameters that drivers know. */
const INSTEAD = [
  {
    names: ['application_name', 'fallback_application_name'],
    say: 'the engine finds its sessions by the names that it gives them',
  },
  { names: ['connect_timeout', 'pool_timeout'], say: 'set RISK_CONNECT_TIMEOUT_MS' },
  { names: ['connection_limit', 'pool_size', 'max'], say: 'set RISK_DATABASE_CONNECTIONS_MAX' },
  { names: ['channel_binding'], say: 'set sslmode=verify-full' },
  { names: ['ssl'], say: 'set sslmode' },
  {
    names: ['statement_timeout', 'query_timeout', 'lock_timeout'],
    say: 'set RISK_STATEMENT_TIMEOUT_MS, from which the engine has it',
  },
  { names: ['options'], say: 'set it for the role: `alter role … set …`' },
  { names: ['user', 'password', 'port', 'dbname'], say: 'write it before the question mark' },
  { names: ['pgbouncer'], say: 'set RISK_DATABASE_POOLER=transaction' },
  {
    names: ['schema', 'currentSchema', 'search_path'],
    say: 'set RISK_MARKET, which names the schema',
  },
  {
    names: ['target_session_attrs'],
    say: 'name the primary, and the replica in DATABASE_REPLICA_URL',
  },
];

const refused = ({ searchParams }: URL) =>
  [...searchParams.keys()].filter((name) => !ALLOWED.includes(name));

/** @returns a sentence for each parameter that may not stand in the URL */
export const describeRefused = (url: URL): string[] =>
  refused(url).map((name) => {
    const known = INSTEAD.find(({ names }) => names.includes(name));
    const instead = known?.say ?? `allowed are ${ALLOWED.join(', ')}`;
    return `${name} may not stand in the URL: ${instead}`;
  });

/** The URL for the driver, without parameters that would win over the engine's own. */
export function toDriverUrl(text: string): string {
  const url = new URL(text);
  const names = refused(url);
  for (const name of names) url.searchParams.delete(name);
  return names.length === 0 ? text : url.href;
}
