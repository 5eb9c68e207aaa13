/** `GET /v1/auth-sessions/{id}/events`: a session's changes as they happen. */
import { sessionPushSchema } from '@vestibule/protocol/api';
import type { SessionPush } from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { EventStream, EventStreams } from '../event-streams.ts';
import { toLastEventId } from '../last-event-id.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { sessionParamsSchema } from './auth-sessions.ts';

export function addSessionEventRoutes(api: Api, ports: Pick<ApiPorts, 'pushes'>, streams: EventStreams): void {
  const schema = {
    ...describeRoute('Auth sessions', 'Be told of changes (server-sent events); resume with Last-Event-ID'),
    params: sessionParamsSchema,
    response: answers({
      200: {
        description: 'One message for each change',
        content: { 'text/event-stream': { schema: sessionPushSchema } },
      },
    }),
  };
  api.get('/v1/auth-sessions/:sessionId/events', { config: { isStream: true }, schema }, async (request, reply) => {
    const { raw } = reply;
    const afterSeq = toLastEventId(request.headers['last-event-id']);
    let stream: EventStream | null = null;
    const open = (): EventStream => {
      if (stream !== null) return stream;
      reply.hijack();
      stream = streams.open(raw, reply.getHeaders());
      return stream;
    };
    let isGone = false;
    let unsubscribe: (() => void) | null = null;
    raw.once('close', () => {
      isGone = true;
      unsubscribe?.();
    });
    const listener = {
      onPush: (push: SessionPush) => open().push(push),
      onEnd: () => open().end(),
    };
    try {
      unsubscribe = await ports.pushes.subscribe(request.params.sessionId, afterSeq, listener);
    } catch (error) {
      if (stream !== null) raw.destroy();
      throw error;
    }
    if (isGone) unsubscribe();
    else open();
  });
}
