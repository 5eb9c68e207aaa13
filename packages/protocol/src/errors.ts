/**
 * The closed list of errors the HTTP API answers (RFC 9457 problem+json), and the one error class that carries them.
 * `detail` is public; `cause` is for the log alone.
 */
import * as z from 'zod';

export const ERRORS = {
  bad_request: { status: 400, title: 'The request is malformed' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  forbidden_origin: { status: 403, title: 'This origin may not do that' },
  not_found: { status: 404, title: 'There is nothing here' },
  session_not_found: { status: 404, title: 'There is no such session' },
  credential_not_found: { status: 404, title: 'There is no such login' },
  offer_not_found: { status: 404, title: 'There is nothing to sign in with yet' },
  machine_log_not_found: { status: 404, title: 'There is no log of that machine here' },
  unknown_provider: { status: 404, title: 'There is no such provider' },
  method_not_allowed: { status: 405, title: 'That method is not allowed here' },
  session_ended: { status: 409, title: 'The session has already ended' },
  session_not_waiting: { status: 409, title: 'The session does not wait for an answer' },
  answer_refused: { status: 409, title: 'That answer cannot be used' },
  credential_invalid: { status: 422, title: 'That is not a complete login of this program' },
  notice_changed: { status: 409, title: 'The notice is another one now' },
  provider_unavailable: { status: 409, title: 'This provider cannot be used here now' },
  mode_not_offered: { status: 409, title: 'This way to sign in is not offered' },
  too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'Send JSON' },
  invalid_ticket: { status: 401, title: 'The ticket is wrong, used or expired' },
  rate_limited: { status: 429, title: 'Too many attempts' },
  capacity: { status: 503, title: 'No room for another sign-in now' },
  not_ready: { status: 503, title: 'Not ready' },
  internal: { status: 500, title: 'Something went wrong on the server' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  detail: z.string().optional(),
  requestId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, detail?: string, cause?: unknown) {
    super(detail ?? ERRORS[code].title, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = detail;
  }
}
