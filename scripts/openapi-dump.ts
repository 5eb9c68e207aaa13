/** Writes `docs/openapi.json` from the routes; with `--check`, only says whether the committed file is current (exit code 1 if not). */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { Secret } from '@vestibule/protocol/secret';
import { createHttpServer } from '../packages/controller/src/http/server.ts';
import type { ApiPorts } from '../packages/controller/src/http/ports.ts';
import { createLogger } from '../packages/controller/src/telemetry/logger.ts';

const path = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));
const inert = (): never => {
  throw new Error('this server only describes itself');
};
const count = { opened: inert, closed: inert };
const ports: ApiPorts = {
  providers: { list: inert, files: inert, acceptNotice: inert },
  sessions: {
    ...{ create: inert, get: inert, list: inert, timeline: inert, cancel: inert },
    ...{ answer: inert, changeMode: inert, offer: inert },
  },
  outputs: { list: inert, follow: inert },
  machineLogs: { read: inert },
  leftovers: { find: inert, remove: inert },
  pushes: { subscribe: inert },
  liveView: { issueTicket: inert, takeTicket: inert, open: inert },
  credentials: { list: inert, revoke: inert, import: inert },
  ready: inert,
  metrics: inert,
};

const server = await createHttpServer({
  config: { host: '127.0.0.1', publicUrl: null, peerUrl: null },
  operatorToken: new Secret('inert'),
  ports,
  logger: createLogger({ level: 'silent' }).logger,
  metrics: { httpAnswered: inert, eventStreams: count, liveViews: count },
  pageDir: null,
  version: '1',
});
await server.ready();
const text = await format(JSON.stringify(server.swagger()), { ...(await resolveConfig(path)), filepath: path });
await server.close();

if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text) {
    console.error('docs/openapi.json is not current: run `npx tsx scripts/openapi-dump.ts` and commit the file.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, text);
}
