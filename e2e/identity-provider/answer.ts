/** What the fake identity provider answers, and how it reads what it is asked: forms and JSON alike, as one set of fields. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Answer = {
  status: number;
  type: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
};

/** A request as vendors see it. */
export type Asked = {
  method: string;
  host: string;
  path: string;
  query: URLSearchParams;
  /** Of a form or of a JSON object; nothing else is read. */
  fields: URLSearchParams;
  bearer: string | null;
};

const MAX_BODY_CHARS = 256 * 1024;

export function toHtml(status: number, body: string): Answer {
  return { status, type: 'text/html', body };
}

export function toJson(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value), headers };
}

export function toRedirect(location: string): Answer {
  return { status: 303, type: 'text/plain', body: '', headers: { location } };
}

/** Server-sent events, all at once. */
export function toEventStream(events: readonly { event?: string; data: unknown }[]): Answer {
  const blocks = events.map(({ event, data }) => {
    const name = event === undefined ? '' : `event: ${event}\n`;
    return `${name}data: ${JSON.stringify(data)}\n\n`;
  });
  return { status: 200, type: 'text/event-stream', body: blocks.join('') };
}

export async function readAsked(request: IncomingMessage): Promise<Asked> {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAX_BODY_CHARS) throw new Error('the request is too large');
  }
  return {
    method: request.method ?? 'GET',
    host,
    path: pathname,
    query: searchParams,
    fields: toFields(request.headers['content-type'] ?? '', body),
    bearer: /^(?:Bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null,
  };
}

function toFields(type: string, body: string): URLSearchParams {
  if (!type.includes('json')) return new URLSearchParams(type.includes('form') ? body : '');
  const fields = new URLSearchParams();
  try {
    for (const [name, value] of Object.entries(JSON.parse(body) as Record<string, unknown>))
      if (typeof value === 'string' || typeof value === 'number') fields.set(name, String(value));
  } catch {
    // No object: nothing of it is asked for.
  }
  return fields;
}

export function send(response: ServerResponse, { status, type, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store', ...headers });
  response.end(body);
}
