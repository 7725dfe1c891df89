// node verify-webhook.mjs SECRET WEBHOOK-ID WEBHOOK-TIMESTAMP WEBHOOK-SIGNATURE < BODY
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

function isSigned(secret, id, timestamp, signatures, body) {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const own = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace('v1,', ''), 'base64');
    return given.length === own.length && timingSafeEqual(given, own);
  });
}

const [secret, id, timestamp, signatures] = process.argv.slice(2);
const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
const signed = isSigned(secret, id, timestamp, signatures, readFileSync(0));
process.stdout.write(`${signed ? 'signed' : 'not signed'}, ${isFresh ? 'fresh' : 'not fresh'}\n`);
process.exitCode = signed && isFresh ? 0 : 1;
