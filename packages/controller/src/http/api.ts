/** The Fastify instance as the routes see it, and who may call a route. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

export type Api = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/**
 * - `operator`: the operator's token or cookie. What holds when a route says nothing.
 * - `page`: anybody who reaches the server by one of its own names: the page's files, and signing in.
 * - `ticket`: whoever holds a ticket; the route takes it itself.
 * - `probe`: anybody, by any name. Such a route tells nothing but that the server lives.
 */
export type Access = 'operator' | 'page' | 'ticket' | 'probe';

declare module 'fastify' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- it merges with Fastify's own
  interface FastifyContextConfig {
    access?: Access;
    /** The answer stays open; its duration says nothing. */
    isStream?: boolean;
  }
}
