/** Parses the ranges of IP addresses of a setting: `10.0.0.0/8,192.0.2.7,2001:db8::/32`. */
import { BlockList, isIP } from 'node:net';

const BITS = { 4: 32, 6: 128 } as const;

/** Returns undefined where an item is neither an address nor an address/prefix. */
export function parseAddressRanges(text: string): BlockList | undefined {
  const ranges = new BlockList();
  for (const range of text.split(',').filter((one) => one !== '')) {
    const [address = '', prefix, ...rest] = range.split('/');
    const version = isIP(address);
    if (version !== 4 && version !== 6) return undefined;
    const bits = prefix === undefined ? BITS[version] : Number(prefix);
    const isWritten = prefix === undefined || /^\d{1,3}$/.test(prefix);
    if (!isWritten || rest.length > 0 || bits > BITS[version]) return undefined;
    ranges.addSubnet(address, bits, `ipv${version}`);
  }
  return ranges;
}
