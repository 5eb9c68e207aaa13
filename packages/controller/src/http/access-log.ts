/** One line and one measurement for each answered request, by the route's pattern: real paths hold ids, real queries hold tickets. */
import type { FastifyRequest } from 'fastify';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Api } from './api.ts';
import { isUnsafe } from './request-guard.ts';

export function installAccessLog(api: Api, metrics: Pick<Metrics, 'httpAnswered'>): void {
  api.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'none', config } = request.routeOptions;
    const { method } = request;
    const status = reply.statusCode;
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    if (config.isStream !== true || status >= 400)
      metrics.httpAnswered({ method, route, status, seconds: reply.elapsedTime / 1000 });
    request.log[isUnsafe(request) ? 'info' : 'debug'](
      { method, route, status, ms, ...toSessionField(request) },
      'request answered',
    );
    done();
  });
}

function toSessionField({ params }: FastifyRequest): { sessionId?: unknown } {
  return typeof params === 'object' && params !== null && 'sessionId' in params ? { sessionId: params.sessionId } : {};
}
