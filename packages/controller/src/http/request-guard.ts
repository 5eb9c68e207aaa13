/** What every request passes before anything else: headers for its answer, a Host that is ours, no foreign page behind it. */
import type { FastifyRequest } from 'fastify';
import { AppError } from '@vestibule/protocol/errors';
import type { Api } from './api.ts';
import type { OwnOrigins } from './own-origins.ts';
import { toSecurityHeaders } from './security-headers.ts';

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

export function isUnsafe(request: FastifyRequest): boolean {
  return !SAFE_METHODS.includes(request.method);
}

export function installRequestGuard(api: Api, origins: OwnOrigins): void {
  api.addHook('onRequest', (request, reply, done) => {
    const { host, origin } = request.headers;
    const port = request.raw.socket.localPort;
    const isOwnHost = origins.hasHost(host, port);
    reply.headers(toSecurityHeaders(isOwnHost && host !== undefined ? origins.toSocketOrigin(host) : null));
    reply.header('x-request-id', request.id);
    done(findRefusal(request, isOwnHost, origin === undefined ? null : origins.hasOrigin(origin, port)));
  });
}

/** @param isOwnOrigin null when the request names no origin */
function findRefusal(request: FastifyRequest, isOwnHost: boolean, isOwnOrigin: boolean | null): AppError | undefined {
  if (!isOwnHost && request.routeOptions.config.access !== 'probe')
    return new AppError(
      'forbidden_origin',
      'This server does not answer to that name. Set VESTIBULE_PUBLIC_URL to the address people open.',
    );
  const isForeign = request.ws ? isOwnOrigin !== true : isUnsafe(request) && isOwnOrigin === false;
  return isForeign ? new AppError('forbidden_origin', "Only this server's own pages may do that.") : undefined;
}
