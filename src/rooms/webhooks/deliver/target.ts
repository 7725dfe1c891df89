/**
 * Where events are sent: https to public addresses. The connection that sends resolves the name again, checks all addresses and
 * connects to an address that it has checked, so a name gains nothing by changing its address after the webhook was made.
 */
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Config } from '../../../kit/config/config.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';

/** The part of IPv6 that is public: everything else is reserved, or stands for an IPv4 address. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address is known to be public: nobody may reach a machine behind the engine by the URL of a webhook.
 * @param text an address as a resolver or a parsed URL writes it
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
}

const isLoopbackAddress = (text: string) =>
  ipaddr.isValid(text) && ipaddr.parse(text).range() === 'loopback';

/** Name servers answer these names with no address. */
const LOCALHOST = /^(?:.+\.)?localhost\.?$/;
/** An example that messages give. */
const EXAMPLE = 'https://shop.example/risk-events';

/** Finds the addresses of a name; none where it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export type Targets = ReturnType<typeof createTargets>;

const RESOLVE_TIMEOUT_MS = 4000;
const RESOLVE_TRY_MS = 1500;

/** Asks name servers alone: the hosts file names machines of its own network. */
async function findAddresses(host: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: RESOLVE_TRY_MS, tries: 2 });
  const timer = setTimeout(() => resolver.cancel(), RESOLVE_TIMEOUT_MS);
  const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  clearTimeout(timer);
  return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

/** The targets of an API or a worker. */
export function openTargets({
  RISK_WEBHOOK_LOOPBACK: loopback,
}: Pick<Config, 'RISK_WEBHOOK_LOOPBACK'>): Targets {
  return createTargets(findAddresses, loopback === 'allow');
}

/** @param isLoopbackAllowed lets http and https reach this machine itself, for development */
export function createTargets(resolve: Resolve, isLoopbackAllowed: boolean) {
  const isAllowed = (address: string) =>
    isPublicAddress(address) || (isLoopbackAllowed && isLoopbackAddress(address));
  const resolveAllowed = async (host: string): Promise<readonly string[]> => {
    const addresses = await resolve(host);
    if (addresses.length === 0) throw refused(`the name ${given(host)} has no address`);
    const bad = addresses.find((address) => !isAllowed(address));
    if (bad === undefined) return addresses;
    throw refused(`${given(host)} has the address ${bad}, which is not public`);
  };
  /** @throws Failure where the URL itself names an address that is refused: no lookup is made for one */
  const refuseAddress = (url: URL) => {
    const host = hostOf(url);
    if (isIP(host) !== 0 && !isAllowed(host)) throw refused(`${host} is not a public address`);
  };
  /** Resolves and checks for the connection that asks. */
  const lookup: LookupFunction = (host, { all }, callback) => {
    resolveAllowed(host).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first] = found;
        if (all === true) callback(null, found);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: Error) => callback(error, ''),
    );
  };
  return {
    /** @throws InvalidFields where the URL may not be a webhook's */
    check: async (text: string) => {
      const url = parse(text);
      const host = hostOf(url);
      const isLocal = isLoopbackAllowed && isLoopbackAddress(host);
      if (!isLocal) refuseLoopback(url, isLoopbackAllowed);
      if (url.protocol !== 'https:' && !(isLocal && url.protocol === 'http:')) {
        throw invalid(`must begin with https://, as ${EXAMPLE}, not ${given(url.protocol)}`);
      }
      if (url.username !== '' || url.password !== '') throw invalid('must not have credentials');
      if (url.hash !== '') throw invalid('must not have a fragment');
      try {
        refuseAddress(url);
        if (isIP(host) === 0) await resolveAllowed(host);
      } catch (error) {
        if (error instanceof Failure) throw invalid(`must name a public address: ${error.message}`);
        throw error;
      }
    },
    refuseAddress,
    lookup,
  };
}

/** Developers try webhooks on loopback first, so the message has the setting and the URL that they can use. */
function refuseLoopback(url: URL, isLoopbackAllowed: boolean): void {
  const host = hostOf(url);
  const isName = LOCALHOST.test(host);
  if (!isName && !isLoopbackAddress(host)) return;
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const address = isName ? '127.0.0.1' : url.hostname;
  const port = url.port === '' ? '' : `:${url.port}`;
  const local = given(`${scheme}://${address}${port}${url.pathname}`);
  throw invalid(
    isLoopbackAllowed
      ? `must name this machine by its address, as ${local}, not ${given(host)}`
      : `must name a public address, not ${given(host)}; for development start the API and the workers with RISK_WEBHOOK_LOOPBACK=allow, and give ${local}`,
  );
}

function parse(text: string): URL {
  const url = URL.parse(text);
  // The parser takes the name of `localhost:9000` for a scheme.
  if (url === null || url.host === '')
    throw invalid(`must be a URL, as ${EXAMPLE}, not ${given(text)}`);
  return url;
}

/** The URL parser writes every IPv4 address as four decimal parts. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

const invalid = (detail: string) => new InvalidFields([{ pointer: '/url', detail }]);
const refused = (why: string) => new Failure('invalid', 'ADDRESS_REFUSED', why);
