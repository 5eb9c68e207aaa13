/** The operator's token in a sign-in link (`/#token=…`): taken once, and removed from the address bar and the history at once. */

/** Reads the token from a URL fragment; null when there is none. */
export function toLinkToken(fragment: string): string | null {
  const token = new URLSearchParams(fragment.replace(/^#/, '')).get('token')?.trim();
  return token === undefined || token === '' ? null : token;
}

/** What a person pasted: the whole link or the bare token. */
export function toPastedToken(text: string): string {
  const trimmed = text.trim();
  const hash = trimmed.indexOf('#');
  return (hash >= 0 ? toLinkToken(trimmed.slice(hash)) : null) ?? trimmed;
}

export function takeLinkToken(location: Location, history: History): string | null {
  const token = toLinkToken(location.hash);
  if (token !== null) history.replaceState(history.state, '', location.pathname + location.search);
  return token;
}
