/** IP addresses as values: IPv6 as RFC 5952 writes it, and IPv4 within IPv6 as IPv4, so that equal addresses are equal texts. */
import { z } from 'zod';

const { ipv4, ipv6 } = z.regexes;
const DIGITS = /^[0-9a-f:.]+$/i;
const GROUP = '[1-9a-f][0-9a-f]{0,3}';
/** Most addresses of clients are in their spelling already: no group is zero, except those that `::` stands for. */
const USUAL = new RegExp(`^(?:(?:${GROUP}:){7}|(?:${GROUP}:){1,5}:)${GROUP}$`);
const MAPPED = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/;

/** Whether a text is the spelling of an address: one with a port, brackets, a zone or a prefix length is none. */
export const isAddress = (text: string): boolean => ipv4.test(text) || ipv6.test(text);

/** The text that every spelling of an address becomes; any other text stays. */
export function spellAddress(text: string): string {
  if (!text.includes(':') || USUAL.test(text) || !DIGITS.test(text)) return text;
  const address = ofUrl(text);
  const [, high, low] = MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  const bits = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

/** URLs write addresses as RFC 5952 does, by a parser that is no JavaScript. */
function ofUrl(text: string): string {
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return text;
  }
}

/** The first four groups of an IPv6 address, as a /64. */
export function network64(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const missing = Math.max(0, 8 - left.length - right.length);
  const all = [...left, ...Array<string>(missing).fill('0'), ...right];
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
