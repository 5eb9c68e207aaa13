/** The page's built files. Any other path that a browser opens is the page itself, which routes by path. */
import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import fastifyStatic from '@fastify/static';
import { AppError } from '@vestibule/protocol/errors';
import type { Api } from './api.ts';

const INDEX = 'index.html';

/** @param pageDir folder with `index.html`, read once at start; null when no page is served from here */
export async function addStaticPage(api: Api, pageDir: string | null): Promise<void> {
  const files = new Set(pageDir === null ? [] : readdirSync(pageDir, { recursive: true, encoding: 'utf8' }));
  if (pageDir !== null) await api.register(fastifyStatic, { root: pageDir, serve: false, cacheControl: false });

  api.route({
    method: ['GET', 'HEAD'],
    url: '/*',
    config: { access: 'page' },
    schema: { hide: true },
    handler: (request, reply) => {
      const path = toPath(request.params);
      if (path !== INDEX && files.has(path) && extname(path) !== '') {
        // The names of built assets carry a hash of their content.
        reply.header('cache-control', path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
        return reply.sendFile(path);
      }
      const opensPage = extname(path) === '' || path === INDEX;
      if (!opensPage || !files.has(INDEX) || !acceptsHtml(request.headers.accept)) throw new AppError('not_found');
      return reply.header('cache-control', 'no-cache').sendFile(INDEX);
    },
  });
}

function toPath(params: unknown): string {
  return typeof params === 'object' && params !== null && '*' in params ? String(params['*']) : '';
}

function acceptsHtml(accept: string | undefined): boolean {
  return accept === undefined || /text\/html|\*\/\*/.test(accept);
}
