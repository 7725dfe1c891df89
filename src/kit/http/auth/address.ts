/**
 * Finds the address whose limits a request counts against: the connection's, or, behind trusted proxies, the
 * last address of `X-Forwarded-For` that is not a trusted proxy itself. IPv6 counts by /64 network, as one host
 * usually has a whole /64.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { parseAddressRanges } from '../../config/edge-settings.ts';

export type AddressOf = (incoming: IncomingMessage | undefined) => string;

/** Bound on the entries of `X-Forwarded-For` that are read. */
const HOPS_MAX = 8;
/** A closed socket has no address. */
const UNKNOWN = 'unknown';
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** @param trustedProxies the value of RISK_TRUSTED_PROXIES */
export function createAddressOf(trustedProxies: string): AddressOf {
  const trusted = parseAddressRanges(trustedProxies);
  const isTrusted = (address: string) =>
    trusted?.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6') === true;
  return (incoming) => {
    const peer = toAddress(incoming?.socket.remoteAddress);
    if (peer === undefined) return UNKNOWN;
    let address: string = peer;
    const forwarded = incoming?.headers['x-forwarded-for'];
    const hops = forwarded === undefined ? [] : String(forwarded).split(',').slice(-HOPS_MAX);
    for (const hop of hops.toReversed()) {
      const before: string | undefined = isTrusted(address) ? toAddress(hop.trim()) : undefined;
      if (before === undefined) break;
      address = before;
    }
    return isIP(address) === 6 ? network64(address) : address;
  };
}

/** Normalises an address: IPv4-mapped IPv6 becomes IPv4, and a zone id is dropped. Undefined for any other text. */
function toAddress(text: string | undefined): string | undefined {
  const [plain = ''] = (text ?? '').split('%');
  if (isIP(plain) === 0) return undefined;
  return MAPPED.exec(plain)?.[1] ?? plain;
}

/** The first four groups of an IPv6 address, as a /64. */
function network64(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  // A dotted IPv4 tail stands for two groups.
  const written = left.length + right.length + (address.includes('.') ? 1 : 0);
  const all = [...left, ...Array<string>(Math.max(0, 8 - written)).fill('0'), ...right];
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
