/**
 * Which address a request counts against. It is the connection's, unless that is a trusted proxy's: then the last one of
 * `X-Forwarded-For` that no trusted proxy wrote down about another. Of IPv6 the network of 64 bits counts, as one host has
 * all of it.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { parseAddressRanges } from '../runtime/address-ranges.ts';

export type AddressOf = (incoming: IncomingMessage | undefined) => string;

/** Proxies of ours that a request may have passed. */
const HOPS_MAX = 8;
/** A socket that is gone has no address any more. */
const UNKNOWN = 'unknown';
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** @param trustedProxies as RISK_TRUSTED_PROXIES has them */
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

/** IPv4 where it is one, however it is written; without the zone of a link. Undefined where it is no address. */
function toAddress(text: string | undefined): string | undefined {
  const [plain = ''] = (text ?? '').split('%');
  if (isIP(plain) === 0) return undefined;
  return MAPPED.exec(plain)?.[1] ?? plain;
}

/** The first four groups. */
function network64(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  // Dotted digits stand for two groups.
  const written = left.length + right.length + (address.includes('.') ? 1 : 0);
  const all = [...left, ...Array<string>(Math.max(0, 8 - written)).fill('0'), ...right];
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
