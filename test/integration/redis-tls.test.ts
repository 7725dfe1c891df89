/**
 * Goal: REDIS_URL alone configures TLS, a private authority and an ACL user, and messages say what Redis or its certificate
 * refuses. Method: a real Redis with certificates made by openssl, where this machine has both.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimIdentity } from '../../src/core/stream/identity.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { findOpenssl, makeCertificates } from '../support/certificates.ts';
import { makeServiceFolder } from '../support/service-folder.ts';
import { startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';

const openssl = findOpenssl() ?? '';
const withTls = test.skipIf(openssl === '');
const MS_MAX = 30_000;

withTls('a URL names user, password and authority', async () => {
  using folder = makeServiceFolder();
  const { authority, server, key } = await makeCertificates(openssl, join(folder.services, 'tls'));
  const port = await freePort();
  await using _redis = await startTestRedis({
    settings: {
      ...{ 'tls-port': String(port), 'tls-cert-file': server, 'tls-key-file': key },
      ...{ 'tls-auth-clients': 'no', 'tls-ca-cert-file': authority },
      user: 'risk on >secret ~market_0:* +@all',
    },
  });
  const trusted = `rediss://risk:secret@localhost:${port}?sslrootcert=${authority}`;
  const client = openCommands(trusted, MS_MAX);
  await untilReady(client, MS_MAX);
  expect(await claimIdentity(client, 'market_0')).toHaveLength(36);
  await expect(claimIdentity(client, 'market_1')).rejects.toMatchObject({ code: 'REDIS_NOPERM' });
  client.disconnect();

  const untilSaid = async (url: string, reason: RegExp) => {
    const refused = openCommands(url, MS_MAX);
    const hears = async () => reason.test(await claimIdentity(refused, 'market_0').catch(String));
    await waitUntil(hears, MS_MAX, String(reason));
    refused.disconnect();
  };
  await untilSaid(`rediss://risk:secret@localhost:${port}`, /certificate/);
  await untilSaid(trusted.replace('secret', 'other'), /WRONGPASS/);
});
