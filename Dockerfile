# One image for every role: the command decides (bin/risk api | worker | migrate | …).
# Node is the version that package.json pins. The image has no lockfile, so bin/risk finds nothing to
# install; it becomes Node by exec, so Node itself receives the signals.

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages are the embedded Postgres, Redis and Node of a developer's machine. The other packages
# need no install script.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0
WORKDIR /app
# Everything belongs to root and is only read: the process cannot change its own code.
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY console/dist ./console/dist
COPY docs/runbooks.md ./docs/
COPY sql ./sql
COPY src ./src
# A volume that is mounted here has the owner of this folder.
RUN install -d -o node -g node -m 700 /var/lib/risk
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive, not ready: an orchestrator that restarts what is unhealthy must not restart every process
# because Postgres is away. A worker answers on RISK_WORKER_PORT, the API on PORT.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.RISK_WORKER_PORT || process.env.PORT || 8080) + '/livez', { signal: AbortSignal.timeout(4000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["bin/risk", "api"]
