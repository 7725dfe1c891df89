/**
 * Finds the address whose limits a request counts against: the connection's, or, behind trusted proxies, the
 * last address of `X-Forwarded-For` that is not a trusted proxy itself. IPv6 counts by /64 network, as one host
 * usually has a whole /64.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { parseAddressRanges } from '../../config/edge-settings.ts';
import { network64, spellAddress } from '../../words/address.ts';

export type AddressOf = (incoming: IncomingMessage | undefined) => string;

/** Bound on the entries of `X-Forwarded-For` that are read. */
const HOPS_MAX = 8;
/** A closed socket has no address. */
const UNKNOWN = 'unknown';
/** Some proxies write a port behind the address, and IPv6 in brackets. */
const WITH_PORT = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/;

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

/** Gives an address its one spelling, without a port and a zone id. Undefined for any other text. */
function toAddress(text = ''): string | undefined {
  const [, inBrackets, beforePort] = WITH_PORT.exec(text) ?? [];
  const [plain = ''] = (inBrackets ?? beforePort ?? text).split('%');
  const address = spellAddress(plain);
  return isIP(address) === 0 ? undefined : address;
}
