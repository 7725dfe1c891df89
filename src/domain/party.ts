/** The two parties of a transaction whose behaviour is profiled. */
const PARTY_KINDS = ['account', 'merchant'] as const;
export type PartyKind = (typeof PARTY_KINDS)[number];
