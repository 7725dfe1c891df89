/**
 * Which addresses events may be sent to: public ones alone, so that nobody reaches a machine behind the engine by the URL of
 * a webhook. What is not known to be public is refused.
 */
import ipaddr from 'ipaddr.js';

/** The part of IPv6 that is public: everything else is reserved, or stands for an IPv4 address. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** @param text an address as a resolver or a parsed URL writes it */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
}

export function isLoopbackAddress(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.parse(text).range() === 'loopback';
}
