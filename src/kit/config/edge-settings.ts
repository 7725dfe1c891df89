/** Settings of the HTTP edge: how large, how many and how long requests may be, and whose word on addresses counts. */

import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { integer } from './numbers.ts';

const BITS = { 4: 32, 6: 128 } as const;

const SECOND_MS = 1000;

export const edgeSettings = {
  RISK_BODY_BYTES_MAX: integer(1024, 64 * 1024 * 1024, 8 * 1024 * 1024).describe(
    'Largest request body.',
  ),
  RISK_REQUEST_TIMEOUT_MS: integer(100, 120_000, 10 * SECOND_MS).describe(
    'Deadline of one request.',
  ),
  RISK_REQUESTS_IN_FLIGHT_MAX: integer(1, 10_000, 128).describe(
    'Largest number of submissions in flight, and of other requests; more are refused with 503.',
  ),
  RISK_BODY_BYTES_IN_FLIGHT_MAX: integer(1024, 1024 * 1024 * 1024, 4 * 1024 * 1024).describe(
    'Largest size of the submissions in flight; more are refused with 503, except for a few of any size.',
  ),
  RISK_UNKNOWN_KEYS_PER_SECOND: integer(1, 1_000_000, 5).describe(
    'Unknown API keys a second that an API process looks up for one address, ten seconds of them at once; beyond it 429.',
  ),
  RISK_TRUSTED_PROXIES: z
    .string()
    .refine((text) => parseAddressRanges(text) !== undefined, {
      error: 'addresses or address/prefix, with commas between them',
    })
    .default('')
    .describe(
      'Proxies whose X-Forwarded-For is trusted: 10.0.0.0/8,192.0.2.7. Other requests count by the address of the connection.',
    ),
  RISK_KEEP_ALIVE_MS: integer(SECOND_MS, 3600 * SECOND_MS, 65 * SECOND_MS).describe(
    'How long the API keeps an idle connection: longer than its balancer does.',
  ),
  RISK_SHUTDOWN_GRACE_MS: integer(0, 600 * SECOND_MS, 12 * SECOND_MS).describe(
    'How long an API that stops answers on until balancers leave; 0 under `npm start`.',
  ),
  RISK_BODIES_ARRIVING_MAX: integer(1, 100_000, 1000).describe(
    'Bodies still arriving, which hold no slot; beyond it the slowest is refused.',
  ),
};

/**
 * Parses the ranges of IP addresses of a setting: `10.0.0.0/8,192.0.2.7,2001:db8::/32`.
 * Returns undefined where an item is neither an address nor an address/prefix.
 */
export function parseAddressRanges(text: string): BlockList | undefined {
  const ranges = new BlockList();
  for (const range of text.split(',').filter((part) => part !== '')) {
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
