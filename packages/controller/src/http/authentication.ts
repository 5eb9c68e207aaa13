/**
 * Who may call a route, failing closed: a route that declares no access is the operator's. Wrong tokens are counted by address;
 * right ones are never limited by that, so nobody can lock the operator out.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '@vestibule/protocol/errors';
import type { Api } from './api.ts';
import { COOKIE_NAME } from './operator-auth.ts';
import type { OperatorAuth } from './operator-auth.ts';
import { isUnsafe } from './request-guard.ts';

export const WRONG_TOKENS_PER_MINUTE = 10;

/** Counts a wrong token; throws `rate_limited` when the address sent too many, else `unauthenticated`. */
export type RefuseToken = (request: FastifyRequest, reply: FastifyReply) => Promise<never>;

/** Needs `@fastify/cookie` registered before. */
export async function installAuthentication(api: Api, auth: OperatorAuth): Promise<RefuseToken> {
  await api.register(rateLimit, { global: false });
  const countWrongToken = api.createRateLimit({ max: WRONG_TOKENS_PER_MINUTE, timeWindow: 60_000 });

  const refuseToken: RefuseToken = async (request, reply) => {
    const limit = await countWrongToken(request);
    if (limit.isAllowed || !limit.isExceeded)
      throw new AppError('unauthenticated', 'That token is not the one of this server.');
    reply.header('retry-after', limit.ttlInSeconds);
    throw new AppError('rate_limited', `Too many wrong tokens. Try again in ${limit.ttlInSeconds} s.`);
  };

  api.addHook('onRequest', async (request, reply) => {
    if ((request.routeOptions.config.access ?? 'operator') !== 'operator') return;
    const { authorization, origin } = request.headers;
    if (authorization !== undefined) {
      const bearer = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
      if (bearer === undefined || !auth.isToken(bearer)) await refuseToken(request, reply);
      return;
    }
    const cookie = request.cookies[COOKIE_NAME];
    if (cookie === undefined || !auth.isCookie(cookie))
      throw new AppError('unauthenticated', "Send the operator's token as a bearer token, or sign in on the page.");
    if (isUnsafe(request) && origin === undefined)
      throw new AppError('forbidden_origin', 'A request with a cookie must name the page it comes from (Origin).');
  });
  return refuseToken;
}
