/** Answers 405 for every method a known path does not have, and 404 for every path below `/v1` that is not known: after authentication, like all else. */
import type { HTTPMethods } from 'fastify';
import { AppError } from '@vestibule/protocol/errors';
import type { Api } from './api.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const satisfies HTTPMethods[];

function answerNotFound(): never {
  throw new AppError('not_found');
}

/** Call before any route is added; call the result after the last. */
export function watchRoutes(api: Api): () => void {
  const methodsByPath = new Map<string, Set<string>>();
  let isWatching = true;
  api.addHook('onRoute', ({ url, method }) => {
    if (!isWatching) return;
    const methods = methodsByPath.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsByPath.set(url, methods);
  });

  return () => {
    isWatching = false;
    for (const [url, has] of methodsByPath) {
      if (url === '/*') continue;
      const allow = METHODS.filter((method) => has.has(method)).join(', ');
      const refusal = new AppError('method_not_allowed', `This path has ${allow}.`);
      api.route({
        method: METHODS.filter((method) => !has.has(method)),
        url,
        schema: { hide: true },
        onRequest: (_request, reply, done) => {
          reply.header('allow', allow);
          done(refusal);
        },
        handler: () => Promise.reject(refusal),
      });
    }
    api.route({ method: [...METHODS], url: '/v1/*', schema: { hide: true }, handler: answerNotFound });
    api.setNotFoundHandler(answerNotFound);
  };
}
