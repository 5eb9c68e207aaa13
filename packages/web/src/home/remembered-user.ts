/** For whom the operator last connected; kept in this browser only. */
import { userIdSchema } from '@vestibule/protocol/api';

const KEY = 'vestibule.user';
const DEFAULT_USER = 'me';

export function loadUser(): string {
  try {
    return userIdSchema.catch(DEFAULT_USER).parse(localStorage.getItem(KEY));
  } catch {
    return DEFAULT_USER; // Storage is switched off.
  }
}

export function saveUser(userId: string): void {
  try {
    localStorage.setItem(KEY, userId);
  } catch {
    // Storage is switched off: the field is remembered until the page is closed.
  }
}

/** Why the text is no user id, in words; null when it is one. */
export function toUserIdProblem(text: string): string | null {
  const result = userIdSchema.safeParse(text);
  if (result.success) return null;
  return text === '' ? 'Give an id, such as me.' : `Use ${result.error.issues[0]?.message ?? 'fewer characters'}.`;
}
