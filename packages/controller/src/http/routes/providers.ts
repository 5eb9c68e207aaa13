/** `/v1/providers`: what one can sign in to here, and what this server lacks for it. */
import { providersAnswerSchema } from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';

export function addProviderRoutes(api: Api, { providers }: Pick<ApiPorts, 'providers'>): void {
  api.get(
    '/v1/providers',
    {
      schema: {
        ...describeRoute('Providers', 'Every provider, and whether it can be used here now'),
        response: answers({ 200: providersAnswerSchema }),
      },
    },
    () => providers.list(),
  );
}
