/**
 * Properties that an account's siblings share with one of its transactions: merchants, corridors, countries, devices,
 * night hours.
 */
import {
  ACCOUNT_RECORD_BYTES,
  COUNTRY_BITS,
  CURRENCY_AT,
  DEVICE_AT,
  MERCHANT_AT,
  ROUTE_AT,
} from './account-profile.ts';
import type { Arrivals } from './arrivals.ts';
import type { PackedList } from './packed-list.ts';

/** The functions below write this object; the next arrival overwrites it. 1 is yes. */
export const parties = {
  sameMerchant: 0,
  sameCorridor: 0,
  sameCountry: 0,
  sameDevice: 0,
  device: 0,
  /** 1 where the newest sibling with a country has this one; 0 without one. */
  newestCountry: 0,
  newestCountryAt: 0,
  nights: 0,
  merchants1h: 0,
  merchants24h: 0,
};

/** Compares an arrival with the siblings [start, end) of the list. */
export function passParties(
  { records }: PackedList,
  start: number,
  end: number,
  arrivals: Arrivals,
  arrival: number,
): void {
  const merchant = arrivals.merchant[arrival] as number;
  const device = arrivals.device[arrival] as number;
  const route = arrivals.route[arrival] as number;
  const corridor = route >>> 10;
  const country = route & COUNTRY_BITS;
  let sameMerchant = 0;
  let sameCorridor = 0;
  let sameCountry = 0;
  let sameDevice = 0;
  let devices = 0;
  let newestCountry = 0;
  let newestCountryAt = 0;
  let nights = 0;
  for (let index = end - 1; index >= start; index--) {
    const at = index * ACCOUNT_RECORD_BYTES;
    const itsDevice = records.getUint32(at + DEVICE_AT, true);
    const itsRoute = records.getUint32(at + ROUTE_AT, true);
    const itsCountry = itsRoute & COUNTRY_BITS;
    // Bits instead of branches, which random amounts and merchants would make slow.
    sameMerchant |= Number(records.getUint32(at + MERCHANT_AT, true) === merchant);
    sameCorridor |= Number(itsRoute >>> 10 === corridor);
    sameCountry |= Number(itsCountry === country);
    sameDevice |= Number(itsDevice === device);
    devices |= itsDevice;
    nights += records.getUint16(at + CURRENCY_AT, true) >>> 15;
    if (newestCountry === 0 && itsCountry !== 0) {
      newestCountry = itsCountry;
      newestCountryAt = index;
    }
  }
  parties.sameMerchant = sameMerchant;
  parties.sameCorridor = sameCorridor;
  parties.sameCountry = sameCountry;
  parties.sameDevice = sameDevice;
  parties.device = devices === 0 ? 0 : 1;
  parties.newestCountry = newestCountry;
  parties.newestCountryAt = newestCountryAt;
  parties.nights = nights;
}

/** Distinct merchants among the siblings of the last hour, [from1h, end), and of the day, [from24h, end). */
export function countMerchants(
  { records }: PackedList,
  from24h: number,
  from1h: number,
  end: number,
): void {
  const merchants = new Set<number>();
  for (let index = end - 1; index >= from24h; index--) {
    if (index === from1h - 1) parties.merchants1h = merchants.size;
    merchants.add(records.getUint32(index * ACCOUNT_RECORD_BYTES + MERCHANT_AT, true));
  }
  parties.merchants24h = merchants.size;
  if (from1h === from24h) parties.merchants1h = merchants.size;
}
