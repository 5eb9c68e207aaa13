/** `/v1/users/{userId}/credentials`: which logins are stored, never what they hold. */
import { z } from 'zod';
import { credentialListSchema, providerParamSchema, userIdSchema } from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { noBodySchema } from './auth-sessions.ts';

export function addCredentialRoutes(api: Api, { credentials }: Pick<ApiPorts, 'credentials'>): void {
  api.get(
    '/v1/users/:userId/credentials',
    {
      schema: {
        ...describeRoute('Logins', "A user's stored logins, without their content"),
        params: z.strictObject({ userId: userIdSchema }),
        response: answers({ 200: credentialListSchema }),
      },
    },
    async (request) => ({ credentials: await credentials.list(request.params.userId) }),
  );

  api.delete(
    '/v1/users/:userId/credentials/:provider',
    {
      schema: {
        ...describeRoute('Logins', 'Disconnect: erase the stored login'),
        params: z.strictObject({ userId: userIdSchema, provider: providerParamSchema }),
        body: noBodySchema,
        response: answers({ 204: z.undefined().describe('Erased') }),
      },
    },
    async (request, reply) => {
      await credentials.revoke(request.params.userId, request.params.provider);
      return reply.code(204).send();
    },
  );
}
