/** Puts the HTTP transport together: what every request passes, then one file for each resource. Does not listen. */
import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import { LogController, fastify } from 'fastify';
import type { FastifyBaseLogger } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { AppError } from '@vestibule/protocol/errors';
import type { Secret } from '@vestibule/protocol/secret';
import type { Config } from '../config.ts';
import { isLoopbackHost } from '../loopback-host.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Api } from './api.ts';
import { installAccessLog } from './access-log.ts';
import { installAuthentication } from './authentication.ts';
import { EventStreams } from './event-streams.ts';
import { installGracefulStop } from './graceful-stop.ts';
import { watchRoutes } from './method-guard.ts';
import { addOpenapiRoute, installOpenapi } from './openapi.ts';
import { OperatorAuth } from './operator-auth.ts';
import { createOwnOrigins } from './own-origins.ts';
import type { ApiPorts } from './ports.ts';
import { refuseBrokenRequest, sendProblem } from './problem.ts';
import { installRequestGuard } from './request-guard.ts';
import { toSecurityHeaders } from './security-headers.ts';
import { addStaticPage } from './static-page.ts';
import { addAuthSessionRoutes } from './routes/auth-sessions.ts';
import { addCredentialRoutes } from './routes/credentials.ts';
import { addFleetRoutes } from './routes/fleet.ts';
import { addLiveViewRoutes, installWebSockets } from './routes/live-view.ts';
import { addMachineLogRoute } from './routes/machine-log.ts';
import { addOperatorSessionRoutes } from './routes/operator-session.ts';
import { addProviderRoutes } from './routes/providers.ts';
import { addServerStateRoutes } from './routes/server-state.ts';
import { addSessionEventRoutes } from './routes/session-events.ts';
import { addSessionOutputRoutes } from './routes/session-output.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
/** A user id of 200 characters, each percent-escaped. */
const MAX_PARAM_CHARS = 600;

export type HttpServerOptions = {
  config: Pick<Config, 'host' | 'publicUrl' | 'peerUrl'>;
  operatorToken: Secret<string>;
  ports: ApiPorts;
  logger: FastifyBaseLogger;
  metrics: Pick<Metrics, 'httpAnswered' | 'eventStreams' | 'liveViews'>;
  /** Folder of the built page, or null when it is served elsewhere (development). */
  pageDir: string | null;
  version: string;
};

/** The server, complete and not listening; `close()` ends streams and live views at once. */
export async function createHttpServer(options: HttpServerOptions): Promise<Api> {
  const { config, metrics, ports } = options;
  const api = createApi(options);
  const finishRoutes = watchRoutes(api);

  await installWebSockets(api);
  installRequestGuard(api, createOwnOrigins(config));
  await api.register(cookie);
  installAccessLog(api, metrics);
  const auth = new OperatorAuth(options.operatorToken);
  const refuseToken = await installAuthentication(api, auth);
  await installOpenapi(api, options.version);

  const streams = new EventStreams(metrics.eventStreams);
  installGracefulStop(api, streams);

  addProviderRoutes(api, ports);
  addAuthSessionRoutes(api, ports);
  addSessionEventRoutes(api, ports, streams);
  addSessionOutputRoutes(api, ports, streams);
  addMachineLogRoute(api, ports);
  addFleetRoutes(api, ports);
  addLiveViewRoutes(api, ports, metrics.liveViews);
  addCredentialRoutes(api, ports);
  addOperatorSessionRoutes(api, auth, refuseToken, config.publicUrl?.startsWith('https:') ?? false);
  addServerStateRoutes(api, ports);
  addOpenapiRoute(api);
  await addStaticPage(api, options.pageDir);
  finishRoutes();
  return api;
}

function createApi({ config, logger }: HttpServerOptions): Api {
  const isBehindProxy = config.publicUrl !== null;
  const api = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    // Only the proxy on this machine is believed, and only about the address next to it.
    trustProxy: (address, hop) => isBehindProxy && hop === 0 && isLoopbackHost(address.replace(/^::ffff:/, '')),
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    clientErrorHandler: refuseBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      reply.headers(toSecurityHeaders(null));
      void sendProblem(error, request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  api.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  acceptJsonOnly(api);
  return api;
}

/** JSON is the only body; an empty one counts as none, since many clients send the header with every request. */
function acceptJsonOnly(api: Api): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(String(body)));
    } catch (error) {
      done(new AppError('bad_request', 'The body is not JSON.', error));
    }
  });
}
