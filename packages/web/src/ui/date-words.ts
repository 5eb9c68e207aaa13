/** Dates for persons, in the browser's language. */
const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function toDateTimeWords(iso: string): string {
  return DATE_TIME.format(new Date(iso));
}
