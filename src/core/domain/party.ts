/** The two parties of a transaction whose behaviour is profiled. */
const PARTY_KINDS = ['account', 'merchant'] as const;
export type PartyKind = (typeof PARTY_KINDS)[number];

/** A party whose activity is summed; a device has no profile in Redis. */
export type ActiveParty = PartyKind | 'device';
