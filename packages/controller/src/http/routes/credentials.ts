/** `/v1/users/{userId}/credentials`: which logins are stored, never what they hold; and taking over one that exists elsewhere. */
import { z } from 'zod';
import { MAX_CREDENTIAL_BYTES } from '@vestibule/protocol/agent-messages';
import {
  credentialListSchema,
  credentialSchema,
  importBodySchema,
  providerParamSchema,
  userIdSchema,
} from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { noBodySchema } from './auth-sessions.ts';

/** Base64 takes four characters for three bytes; paths and JSON come on top. */
const IMPORT_LIMIT_BYTES = Math.ceil((MAX_CREDENTIAL_BYTES * 4) / 3) + 64 * 1024;
const paramsSchema = z.strictObject({ userId: userIdSchema, provider: providerParamSchema });

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
        params: paramsSchema,
        body: noBodySchema,
        response: answers({ 204: z.undefined().describe('Erased') }),
      },
    },
    async (request, reply) => {
      await credentials.revoke(request.params.userId, request.params.provider);
      return reply.code(204).send();
    },
  );

  api.post(
    '/v1/users/:userId/credentials/:provider/import',
    {
      bodyLimit: IMPORT_LIMIT_BYTES,
      schema: {
        ...describeRoute('Logins', 'Take over a login that exists: the files that the program wrote'),
        params: paramsSchema,
        body: importBodySchema,
        response: answers({ 201: credentialSchema }),
      },
    },
    async (request, reply) => {
      const { userId, provider } = request.params;
      return reply.code(201).send(await credentials.import(userId, provider, request.body.files));
    },
  );
}
