/** `/v1/providers`: what one can sign in to here, what this server lacks for it, and what the operator accepted for it. */
import { z } from 'zod';
import {
  acceptanceBodySchema,
  providerFilesSchema,
  providerParamSchema,
  providersAnswerSchema,
  userIdSchema,
} from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';

const paramsSchema = z.strictObject({ provider: providerParamSchema });

export function addProviderRoutes(api: Api, { providers }: Pick<ApiPorts, 'providers'>): void {
  api.get(
    '/v1/providers',
    {
      schema: {
        ...describeRoute('Providers', 'Every provider, and whether it can be used here now'),
        querystring: z.strictObject({ userId: userIdSchema.optional() }),
        response: answers({ 200: providersAnswerSchema }),
      },
    },
    (request) => providers.list(request.query.userId),
  );

  api.get(
    '/v1/providers/:provider/files',
    {
      schema: {
        ...describeRoute('Providers', 'Where the program keeps its login, for whoever takes one over'),
        params: paramsSchema,
        response: answers({ 200: providerFilesSchema }),
      },
    },
    async (request) => providers.files(request.params.provider),
  );

  api.post(
    '/v1/providers/:provider/acceptance',
    {
      schema: {
        ...describeRoute('Providers', 'Accept the notice of a provider, as the operator'),
        params: paramsSchema,
        body: acceptanceBodySchema,
        response: answers({ 204: z.undefined().describe('Accepted, now or before') }),
      },
    },
    async (request, reply) => {
      await providers.acceptNotice(request.params.provider, request.body.hash);
      return reply.code(204).send();
    },
  );
}
