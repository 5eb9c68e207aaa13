/** `Last-Event-ID`: where a reader of server-sent events goes on. */
import { AppError } from '@vestibule/protocol/errors';

/** 0 when the reader has seen nothing. Throws `bad_request`. */
export function toLastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new AppError('bad_request', 'Last-Event-ID must be the number of an event of this session.');
}
