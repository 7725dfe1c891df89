/**
 * Goal: a provider is found by its issuer as the provider writes it, which many end with a slash behind a path. Method: a server
 * that answers discovery as OpenID Connect says, where issuers are compared character by character.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createProvider } from '../../../../../src/rooms/access/oidc/provider.ts';
import { testConfig } from '../../../../support/config.ts';

test.each(['/application/o/risk/', '/realms/risk', ''])(
  'the issuer at the path %j is found',
  async (path) => {
    const server = createServer((request, response) => {
      const { port } = server.address() as AddressInfo;
      const issuer = `http://127.0.0.1:${port}${path}`;
      const isAsked = request.url === `${path.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const metadata = { issuer, authorization_endpoint: `${issuer}/authorize` };
      response.writeHead(isAsked ? 200 : 404, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(metadata));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const { RISK_OIDC_ISSUER: issuer = '' } = testConfig({
      RISK_OIDC_ISSUER: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
      RISK_OIDC_CLIENT_ID: 'risk',
      RISK_OIDC_URL: 'https://risk.example',
      RISK_OIDC_ROLES: 'x=analyst',
    });
    const redirectUrl = 'https://risk.example/oidc/callback';
    const provider = createProvider({
      issuer,
      clientId: 'risk',
      clientSecret: undefined,
      scope: 'openid',
      redirectUrl,
    });
    const { url } = await provider.begin();
    expect(url.pathname).toBe(`${path}/authorize`);
  },
);
