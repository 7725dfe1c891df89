/** Settings of logins by a provider of identities (OpenID Connect). */
import { z } from 'zod';
import { ROLES, type Role } from '../words/principal.ts';

/** Roles by the value of the claim. */
export type MappedRoles = ReadonlyMap<string, readonly Role[]>;

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const isSafe = ({ protocol, hostname }: URL) =>
  protocol === 'https:' || LOOPBACK.includes(hostname);

/** @param hasOwnEnd whether a slash behind a path stays: a provider compares its issuer character by character */
const safeUrl = (hasOwnEnd = false) =>
  z.string().transform((text, context) => {
    const url = URL.parse(text);
    if (url !== null && /^https?:$/.test(url.protocol) && isSafe(url))
      return hasOwnEnd && url.pathname !== '/' ? url.href : url.href.replace(/\/$/, '');
    const message = 'must be a URL of https, or of http on this machine itself';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const isRole = (text: string): text is Role => ROLES.some((role) => role === text);

const mappedRoles = () =>
  z.string().transform((text, context): MappedRoles => {
    const mapped = new Map<string, Role[]>();
    for (const pair of text.split(',')) {
      const at = pair.lastIndexOf('=');
      const [value, role] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      if (at > 0 && value !== '' && isRole(role)) {
        mapped.set(value, [...(mapped.get(value) ?? []), role]);
        continue;
      }
      const message = `must be VALUE=ROLE with commas between them, of the roles ${ROLES.join(', ')}, not '${pair}'`;
      context.addIssue({ code: 'custom', message });
    }
    return mapped;
  });

export const oidcSettings = {
  RISK_OIDC_ISSUER: safeUrl(true)
    .optional()
    .describe('URL of the OpenID Connect provider whose people log in to the console.'),
  RISK_OIDC_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Client id of the engine at the provider.'),
  RISK_OIDC_CLIENT_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Client secret of the engine at the provider; without a secret the engine is a public client.',
    ),
  RISK_OIDC_URL: safeUrl()
    .optional()
    .describe(
      'URL of the engine for browsers, without a path; the provider sends browsers back to its `/oidc/callback`.',
    ),
  RISK_OIDC_ROLES: mappedRoles()
    .optional()
    .describe('Roles by the values of the claim: `risk-analysts=analyst,risk-ops=operator`.'),
  RISK_OIDC_SCOPES: z
    .string()
    .refine((text) => text.split(' ').includes('openid'), 'must have openid among its words')
    .default('openid email profile')
    .describe('Scopes of a login; some providers need `groups`.'),
  RISK_OIDC_CLAIM: z
    .string()
    .min(1)
    .default('groups')
    .describe('Claim that RISK_OIDC_ROLES reads, or its path: `realm_access.roles`.'),
  RISK_OIDC_NAME_CLAIM: z
    .string()
    .min(1)
    .default('email')
    .describe("Claim with the person's name. Choose a claim that people cannot change themselves."),
};

const NEEDED = ['RISK_OIDC_ISSUER', 'RISK_OIDC_CLIENT_ID', 'RISK_OIDC_URL', 'RISK_OIDC_ROLES'];

/** Settings that are missing beside others. */
export function missingOidcSettings(given: Readonly<Record<string, unknown>>): string[] {
  const named = [...NEEDED, 'RISK_OIDC_CLIENT_SECRET'].filter((name) => name in given);
  if (named.length === 0) return [];
  return NEEDED.filter((name) => !(name in given)).map(
    (name) => `${name}: is needed beside ${named[0]}`,
  );
}
