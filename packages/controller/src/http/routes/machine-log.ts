/** `GET /v1/auth-sessions/{id}/machine-log`: what the sign-in machine printed, as text. */
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { sessionParamsSchema } from './auth-sessions.ts';

const logAnswer = { description: 'The log, bounded', content: { 'text/plain': { schema: z.string() } } };

export function addMachineLogRoute(api: Api, { machineLogs }: Pick<ApiPorts, 'machineLogs'>): void {
  api.get(
    '/v1/auth-sessions/:sessionId/machine-log',
    {
      schema: {
        ...describeRoute('Auth sessions', 'What the machine of a sign-in printed, from its first boot on'),
        params: sessionParamsSchema,
        response: answers({ 200: logAnswer }),
      },
    },
    async (request, reply) =>
      reply.type('text/plain; charset=utf-8').send(await machineLogs.read(request.params.sessionId)),
  );
}
