/** `/healthz`, `/readyz` (for machines that watch this one; no detail) and `/metrics`. */
import { AppError } from '@vestibule/protocol/errors';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';

const metricsAnswer = { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } };
const okSchema = z.object({ status: z.literal('ok') });

export function addServerStateRoutes(api: Api, ports: Pick<ApiPorts, 'ready' | 'metrics'>): void {
  api.get(
    '/healthz',
    {
      config: { access: 'probe' },
      schema: {
        ...describeRoute('Server', 'Whether the process lives'),
        security: [],
        response: answers({ 200: okSchema }),
      },
    },
    () => ({ status: 'ok' as const }),
  );

  api.get(
    '/readyz',
    {
      config: { access: 'probe' },
      schema: {
        ...describeRoute('Server', 'Whether it can serve'),
        security: [],
        response: answers({ 200: okSchema }),
      },
    },
    async () => {
      await ports.ready().catch((cause: unknown) => {
        throw new AppError('not_ready', undefined, cause);
      });
      return { status: 'ok' as const };
    },
  );

  api.get(
    '/metrics',
    { schema: { ...describeRoute('Server', 'Prometheus metrics'), response: answers({ 200: metricsAnswer }) } },
    async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await ports.metrics()),
  );
}
