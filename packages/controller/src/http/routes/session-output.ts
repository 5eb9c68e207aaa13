/** `GET /v1/auth-sessions/{id}/output`: what the CLI wrote, whole as JSON, or followed as server-sent events when the reader asks for those. */
import { outputChunkSchema, outputSchema } from '@vestibule/protocol/api';
import type { OutputChunk } from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { EventStream, EventStreams } from '../event-streams.ts';
import { toLastEventId } from '../last-event-id.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { sessionParamsSchema } from './auth-sessions.ts';

/** Numbers of chunks are 32-bit integers; a higher one names nothing that will come. */
const MAX_N = 2_147_483_647;

export function addSessionOutputRoutes(api: Api, { outputs }: Pick<ApiPorts, 'outputs'>, streams: EventStreams): void {
  const schema = {
    ...describeRoute(
      'Auth sessions',
      'What the program wrote, secrets replaced; with Accept: text/event-stream as it comes, from Last-Event-ID on',
    ),
    params: sessionParamsSchema,
    response: answers({
      200: {
        description: 'All of it so far, or one message for each chunk',
        content: { 'application/json': { schema: outputSchema }, 'text/event-stream': { schema: outputChunkSchema } },
      },
    }),
  };
  api.get('/v1/auth-sessions/:sessionId/output', { config: { isStream: true }, schema }, async (request, reply) => {
    const { sessionId } = request.params;
    if (request.headers.accept?.includes('text/event-stream') !== true)
      return reply.send({ chunks: await outputs.list(sessionId) });
    const afterN = Math.min(toLastEventId(request.headers['last-event-id']), MAX_N);
    const { raw } = reply;
    let isGone = false;
    let unsubscribe: (() => void) | null = null;
    raw.once('close', () => {
      isGone = true;
      unsubscribe?.();
    });
    let stream: EventStream | null = null;
    const open = (): EventStream => {
      if (stream !== null) return stream;
      reply.hijack();
      stream = streams.open(raw, reply.getHeaders());
      return stream;
    };
    unsubscribe = await outputs.follow(sessionId, afterN, {
      onChunk: (chunk: OutputChunk) => open().send(chunk.n, 'output', chunk),
      onEnd: () => open().end(),
      onBreak: () => raw.destroy(),
    });
    if (isGone) unsubscribe();
    else open();
  });
}
