/**
 * Serves what the build alone decides, without a key: the document (`/openapi.json`) with Swagger UI (`/docs`), built-in features and
 * reason codes, the cures of problems (`/docs/problems`) and the runbooks of signals (`/docs/runbooks`). The pages load nothing from
 * elsewhere and run only the scripts served here.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { REASON_CODES } from '../../core/score/reason-codes.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import {
  answerKept,
  conditionalHeader,
  KEEP_FOR_ALL,
  withHeaders,
} from '../../kit/http/answers/kept.ts';
import { PROBLEMS_PATH } from '../../kit/http/answers/problem-types.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { json, openResponses } from '../../kit/http/openapi.ts';
import { problemsPage, RUNBOOKS_PATH, runbooksPage } from '../../kit/http/problems-page.ts';
import { FEATURES, featureSchema, reasonCodeSchema } from '../../rooms/rules/catalogue.ts';

/** Swagger UI itself needs inline styles, and images for its icons. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Risk engine API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<main id="docs"></main>
<noscript>The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Requests are ready to be sent with the examples of the document. */
const START = `SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null,
  tryItOutEnabled: true, displayRequestDuration: true,
});
`;

const HTML = 'text/html; charset=UTF-8';
const CACHED = { 'Cache-Control': KEEP_FOR_ALL };

export function docsRoutes(document: object): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const serve = (
    path: string,
    type: string,
    read: () => Promise<string | Uint8Array<ArrayBuffer>>,
    headers: Readonly<Record<string, string>> = CACHED,
  ) =>
    routes.get(path, async (c) => c.body(await read(), 200, { 'Content-Type': type, ...headers }));

  const serveKept = (path: string, value: object) => {
    const answer = { text: JSON.stringify(value) };
    routes.get(path, (c) => answerKept(c, answer, KEEP_FOR_ALL));
  };
  serveKept('/openapi.json', document);
  serveKept('/features.json', { items: FEATURES });
  serveKept('/reason-codes.json', { items: REASON_CODES });
  const page = { ...CACHED, 'Content-Security-Policy': DOCS_POLICY };
  serve('/docs', HTML, async () => PAGE, page);
  serve(PROBLEMS_PATH, HTML, async () => problemsPage(), page);
  serve(RUNBOOKS_PATH, HTML, runbooksPage, page);
  serve('/docs/start.js', 'text/javascript; charset=utf-8', async () => START);
  for (const [name, type] of Object.entries(ASSETS)) {
    serve(`/docs/${name}`, type, async () => Uint8Array.from(await readFile(join(folder, name))));
  }
  return routes;
}

const read = (operationId: string, summary: string, content: ReturnType<typeof json>) => ({
  get: {
    operationId,
    summary,
    tags: ['documents'],
    security: [],
    requestParams: { header: conditionalHeader },
    responses: {
      ...withHeaders(
        { 200: { description: 'What the build alone decides.', content } },
        answerHeaders('ETag', 'Cache-Control', 'Vary'),
        KEEP_FOR_ALL,
      ),
      ...openResponses(),
    },
  },
});

/** The document describes the API: the page and its files are left out. */
const paths: ZodOpenApiPathsObject = {
  '/openapi.json': read(
    'openapi',
    'This document: OpenAPI 3.1',
    json(z.object({ openapi: z.string() }).loose(), { openapi: '3.1.0' }),
  ),
  '/features.json': read(
    'listBuiltInFeatures',
    'Features of the build, for edges that keep them',
    json(z.object({ items: z.array(featureSchema) })),
  ),
  '/reason-codes.json': read(
    'listBuiltInReasonCodes',
    'Reason codes of the build, for edges that keep them',
    json(z.object({ items: z.array(reasonCodeSchema) })),
  ),
};

export const document: DocumentPart = { paths, tags: { documents: 'What the build decides.' } };
