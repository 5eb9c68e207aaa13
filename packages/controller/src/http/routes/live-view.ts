/** `/v1/live-view`: the WebSocket to a VM's display, and the tickets for it. The ticket is taken before the upgrade, so a bad one gets a plain 401. */
import { z } from 'zod';
import websocket from '@fastify/websocket';
import { ticketSchema } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { OpenCount } from '../../telemetry/metrics.ts';
import { connectLiveView } from '../../live-view/live-view-connection.ts';
import { CLOSE_CODES, closeSocket } from '../../live-view/relay.ts';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { noBodySchema, sessionParamsSchema } from './auth-sessions.ts';

/** The most a page sends at once is a pasted text. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const SUBPROTOCOL = 'binary';

declare module 'fastify' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- it merges with Fastify's own
  interface FastifyRequest {
    /** The session of the ticket that was taken. */
    liveViewSessionId: string | null;
  }
}

/** Must be registered before any route, so that every upgrade passes the hooks. */
export async function installWebSockets(api: Api): Promise<void> {
  await api.register(websocket, {
    options: {
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    },
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error }, 'live view connection failed');
      closeSocket(socket, CLOSE_CODES.protocolError);
    },
    preClose(done) {
      for (const socket of this.websocketServer.clients) closeSocket(socket, CLOSE_CODES.goingAway);
      done();
    },
  });
}

export function addLiveViewRoutes(api: Api, { liveView }: Pick<ApiPorts, 'liveView'>, count: OpenCount): void {
  api.post(
    '/v1/auth-sessions/:sessionId/live-view-tickets',
    {
      schema: {
        ...describeRoute('Live view', 'A ticket for one connection to WS /v1/live-view?ticket=, valid 60 s'),
        params: sessionParamsSchema,
        body: noBodySchema,
        response: answers({ 201: ticketSchema }),
      },
    },
    async (request, reply) => reply.code(201).send(await liveView.issueTicket(request.params.sessionId)),
  );

  api.decorateRequest('liveViewSessionId', null);
  api.route({
    method: 'GET',
    url: '/v1/live-view',
    config: { access: 'ticket', isStream: true },
    schema: {
      ...describeRoute('Live view', "The VM's screen and keyboard: a WebSocket that carries RFB in binary messages"),
      security: [],
      querystring: z.strictObject({ ticket: z.string().min(1).max(200) }),
    },
    preHandler: async (request) => {
      if (!request.ws) throw new AppError('bad_request', 'Open this address as a WebSocket.');
      request.liveViewSessionId = await liveView.takeTicket(request.query.ticket);
    },
    handler: () => {
      throw new AppError('internal');
    },
    wsHandler: (socket, request) => {
      const sessionId = request.liveViewSessionId;
      if (sessionId === null) return closeSocket(socket, CLOSE_CODES.protocolError);
      const log = request.log.child({ sessionId });
      connectLiveView(
        socket,
        (signal) => liveView.open(sessionId, signal),
        count,
        (error) => log.warn({ err: error }, 'display never came'),
      );
    },
  });
}
