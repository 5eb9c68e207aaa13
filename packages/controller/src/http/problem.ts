/** The one place where an error becomes an answer (RFC 9457). What a client sent is never echoed; a 5xx shows no text of its own. */
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, ERRORS } from '@vestibule/protocol/errors';
import type { ErrorCode, Problem } from '@vestibule/protocol/errors';

export const PROBLEM_TYPE = 'application/problem+json';

/** Errors of Fastify itself that deserve a better code than their status gives. */
const FRAMEWORK_ERRORS: Readonly<Record<string, { code: ErrorCode; detail?: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'too_large', detail: 'The request body is larger than this address takes.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    detail: 'Send the header content-type: application/json.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'bad_request', detail: 'The body is not JSON.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'bad_request',
    detail: 'The body is not as long as content-length says.',
  },
  FST_ERR_BAD_URL: { code: 'bad_request', detail: 'The path has a broken percent escape.' },
};

export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return new AppError('internal', undefined, error);
  const { code, statusCode, validation, validationContext } = error as Partial<Invalid> & {
    code?: string;
    statusCode?: number;
  };
  if (validation !== undefined) return new AppError('bad_request', toValidationDetail(validation, validationContext));
  const known = code === undefined ? undefined : FRAMEWORK_ERRORS[code];
  if (known !== undefined) return new AppError(known.code, known.detail, error);
  const isClientError = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  return new AppError(isClientError ? 'bad_request' : 'internal', undefined, error);
}

export function toProblem(error: AppError, requestId?: string): Problem {
  const { status, title } = ERRORS[error.code];
  return {
    type: `urn:vestibule:error:${error.code}`,
    title,
    status,
    code: error.code,
    ...(error.detail !== undefined && status < 500 ? { detail: error.detail } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** Answers with the problem, and logs what the answer does not say. */
export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toAppError(thrown);
  const problem = toProblem(error, request.id);
  if (problem.status >= 500)
    request.log.error({ err: error.cause ?? error, code: error.code, detail: error.detail }, 'request failed');
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(problem.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
}

/** For what is so broken that it never became a request; Node calls it with the bare socket. */
export function refuseBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(new AppError('bad_request', 'This is not an HTTP request this server can read.'));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

type Issue = { keyword: string; instancePath: string; message?: string; params: Record<string, unknown> };
type Invalid = { validation: Issue[]; validationContext: string };

/** `body.userId: Invalid input: expected string`: every problem by its path. The messages are of our own schemas and hold no values. */
function toValidationDetail(issues: readonly Issue[], context = 'request'): string {
  return issues
    .slice(0, 20)
    .map((issue) => {
      const path = [context, ...issue.instancePath.split('/').filter((part) => part !== '')].join('.');
      return `${path}: ${issue.keyword === 'unrecognized_keys' ? toUnknownFields(issue.params['keys']) : issue.message}`;
    })
    .join('; ');
}

/** Names are the client's own text: only what looks like a name is repeated. */
function toUnknownFields(keys: unknown): string {
  const names = (Array.isArray(keys) ? keys.map(String) : []).filter((name) => /^[a-z_]\w{0,31}$/i.test(name));
  return names.length === 0 ? 'has an unknown field' : `has an unknown field: ${names.slice(0, 5).join(', ')}`;
}
