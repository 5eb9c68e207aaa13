/** `GET` and `DELETE /v1/fleet/leftovers`: what a crash left of browser VMs on the host of the controller that answers. */
import { leftoverRemovalSchema, leftoversSchema } from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';

export function addFleetRoutes(api: Api, { leftovers }: Pick<ApiPorts, 'leftovers'>): void {
  api.get(
    '/v1/fleet/leftovers',
    {
      schema: {
        ...describeRoute('Fleet', 'What is left on this host of browser VMs that no row wants'),
        response: answers({ 200: leftoversSchema }),
      },
    },
    () => leftovers.find(),
  );

  api.delete(
    '/v1/fleet/leftovers',
    {
      schema: {
        ...describeRoute('Fleet', 'Removes it, and tells what could not be removed'),
        response: answers({ 200: leftoverRemovalSchema }),
      },
    },
    () => leftovers.remove(),
  );
}
